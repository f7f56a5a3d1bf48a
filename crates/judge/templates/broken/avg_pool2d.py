
def output_size(x, kernel, stride, padding, ceil_mode):
    size = []
    for axis in (0, 1):
        length = x.shape[2 + axis]
        rest = length + 2 * padding[axis] - kernel[axis]
        count = (-(-rest // stride[axis]) if ceil_mode else rest // stride[axis]) + 1
        if ceil_mode and (count - 1) * stride[axis] >= length + padding[axis]:
            count -= 1
        size.append(count)
    return size


def window(x, i, j, kernel, stride, padding):
    """Places in the image, and how many there are in the image with its padding."""
    places, padded = [], 0
    for k, l in np.ndindex(*kernel):
        row, column = i * stride[0] + k - padding[0], j * stride[1] + l - padding[1]
        if row < x.shape[2] + padding[0] and column < x.shape[3] + padding[1]:
            padded += 1
        if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
            places.append((row, column))
    return places, padded


def forward(x, kernel, stride, padding, ceil_mode, count_include_pad):
    y = np.zeros((*x.shape[:2], *output_size(x, kernel, stride, padding, ceil_mode)))
    for n, c, i, j in np.ndindex(y.shape):
        places, padded = window(x, i, j, kernel, stride, padding)
        y[n, c, i, j] = sum(x[n, c][place] for place in places) / (padded if count_include_pad else len(places))
    return y


def backward(x, kernel, stride, padding, ceil_mode, count_include_pad, g):
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(g.shape):
        places, padded = window(x, i, j, kernel, stride, padding)
        #~ the padding is lost
        #= places, padded = window(x, i, j, kernel, stride, (0, 0))
        #~ the stride of the rows is used for the columns too
        #= places, padded = window(x, i, j, kernel, (stride[0], stride[0]), padding)
        share = g[n, c, i, j] / max(padded if count_include_pad else len(places), 1)
        #~ not divided at all
        #= share = g[n, c, i, j]
        #~ divided by the pixels alone, where the padding counts
        #= share = g[n, c, i, j] / max(len(places), 1)
        #~ divided by pixels and padding, where the padding does not count
        #= share = g[n, c, i, j] / padded
        for place in places:
            dx[n, c][place] += share
    return (dx,)
