
def output_size(x, weight, stride, padding, dilation):
    size = []
    for axis in (0, 1):
        reach = dilation[axis] * (weight.shape[2 + axis] - 1) + 1
        size.append((x.shape[2 + axis] + 2 * padding[axis] - reach) // stride[axis] + 1)
    return size


def forward(x, weight, bias, stride, padding, dilation, groups):
    samples, _, height, width = x.shape
    outputs, channels, rows, columns = weight.shape
    y = np.zeros((samples, outputs, *output_size(x, weight, stride, padding, dilation)))
    for n, o, i, j in np.ndindex(y.shape):
        first = o // (outputs // groups) * channels
        y[n, o, i, j] = bias[o]
        for c, k, l in np.ndindex(channels, rows, columns):
            row = i * stride[0] - padding[0] + k * dilation[0]
            column = j * stride[1] - padding[1] + l * dilation[1]
            if 0 <= row < height and 0 <= column < width:
                y[n, o, i, j] += weight[o, c, k, l] * x[n, first + c, row, column]
    return y


def backward(x, weight, bias, stride, padding, dilation, groups, g):
    height, width = x.shape[2:]
    outputs, channels, rows, columns = weight.shape
    dx, dweight, dbias = np.zeros_like(x), np.zeros_like(weight), np.zeros_like(bias)
    for n, o, i, j in np.ndindex(g.shape):
        first = o // (outputs // groups) * channels
        #~ the outputs read another group's channels
        #= first = (o // (outputs // groups) + 1) % groups * channels
        dbias[o] += g[n, o, i, j]
        #~ the bias averaged over batch and positions
        #= dbias[o] += g[n, o, i, j] / (g.size / outputs)
        for c, k, l in np.ndindex(channels, rows, columns):
            row, column = i * stride[0] + k * dilation[0], j * stride[1] + l * dilation[1]
            #~ stride and dilation are exchanged
            #= row, column = i * dilation[0] + k * stride[0], j * dilation[1] + l * stride[1]
            #~ the stride of the rows is used for the columns too
            #= row, column = i * stride[0] + k * dilation[0], j * stride[0] + l * dilation[1]
            #~ the dilation of the rows is used for the columns too
            #= row, column = i * stride[0] + k * dilation[0], j * stride[1] + l * dilation[0]
            row, column = row - padding[0], column - padding[1]
            #~ the padding is lost
            #= row, column = row, column
            #~ the padding of the rows is used for the columns too
            #= row, column = row - padding[0], column - padding[0]
            #~ shifted by one row
            #= row, column = row - padding[0] - 1, column - padding[1]
            if 0 <= row < height and 0 <= column < width:
                dx[n, first + c, row, column] += g[n, o, i, j] * weight[o, c, k, l]
                #~ the kernel is flipped
                #= dx[n, first + c, row, column] += g[n, o, i, j] * weight[o, c, rows - 1 - k, columns - 1 - l]
                dweight[o, c, k, l] += g[n, o, i, j] * x[n, first + c, row, column]
                #~ the weight's gradient is overwritten: `=` in the place of `+=`
                #= dweight[o, c, k, l] = g[n, o, i, j] * x[n, first + c, row, column]
    return dx, dweight, dbias
