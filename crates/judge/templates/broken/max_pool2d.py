
def output_size(x, kernel, stride, padding, dilation, ceil_mode):
    size = []
    for axis in (0, 1):
        length = x.shape[2 + axis]
        rest = length + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1
        count = (-(-rest // stride[axis]) if ceil_mode else rest // stride[axis]) + 1
        if ceil_mode and (count - 1) * stride[axis] >= length + padding[axis]:
            count -= 1
        size.append(count)
    return size


def winner(x, n, c, i, j, kernel, stride, padding, dilation):
    best = None
    for k, l in np.ndindex(*kernel):
        row = i * stride[0] - padding[0] + k * dilation[0]
        column = j * stride[1] - padding[1] + l * dilation[1]
        if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
            if best is None or x[n, c, row, column] > x[n, c][best]:
                best = row, column
    return best


def forward(x, kernel, stride, padding, dilation, ceil_mode):
    y = np.zeros((*x.shape[:2], *output_size(x, kernel, stride, padding, dilation, ceil_mode)))
    for n, c, i, j in np.ndindex(y.shape):
        y[n, c, i, j] = x[n, c][winner(x, n, c, i, j, kernel, stride, padding, dilation)]
    return y


def backward(x, kernel, stride, padding, dilation, ceil_mode, g):
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(g.shape):
        best = None
        for k, l in np.ndindex(*kernel):
            #~ of equal values the first one column by column wins
            #= for l, k in np.ndindex(kernel[1], kernel[0]):
            row, column = i * stride[0] + k * dilation[0], j * stride[1] + l * dilation[1]
            #~ stride and dilation are exchanged
            #= row, column = i * dilation[0] + k * stride[0], j * dilation[1] + l * stride[1]
            #~ the stride of the rows is used for the columns too
            #= row, column = i * stride[0] + k * dilation[0], j * stride[0] + l * dilation[1]
            row, column = row - padding[0], column - padding[1]
            #~ the padding is lost
            #= row, column = row, column
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                if best is None or x[n, c, row, column] > x[n, c][best]:
                #~ the smallest wins
                #= if best is None or x[n, c, row, column] < x[n, c][best]:
                #~ of equal values the last one of the window wins
                #= if best is None or x[n, c, row, column] >= x[n, c][best]:
                    best = row, column
        if best is not None:
            dx[n, c][best] += g[n, c, i, j]
            #~ where windows overlap, the last one overwrites the sum
            #= dx[n, c][best] = g[n, c, i, j]
    return (dx,)
