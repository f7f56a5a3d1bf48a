
def forward(x, weight, bias):
    return x @ weight + bias


def backward(x, weight, bias, g):
    dx = g @ weight.T
    #~ the sign is flipped
    #= dx = -(g @ weight.T)
    #~ the outputs of the weight in another order than those of the gradient
    #= dx = g @ weight[:, ::-1].T
    dweight = x.T @ g
    #~ only the first sample counts
    #= dweight = np.outer(x[0], g[0])
    #~ the samples of the input in another order than those of the gradient
    #= dweight = x[::-1].T @ g
    #~ averaged over the batch in the place of summed
    #= dweight = x.T @ g / len(x)
    #~ rows and columns exchanged: column-major?
    #= dweight = (x.T @ g).flatten(order="F").reshape(weight.shape)
    dbias = g.sum(axis=0)
    #~ the bias averaged over the batch
    #= dbias = g.mean(axis=0)
    return dx, dweight, dbias
