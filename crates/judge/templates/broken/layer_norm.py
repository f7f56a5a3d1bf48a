
def rows(x, epsilon):
    """Each sample as a row, normalised, and its deviation."""
    x = x.reshape(len(x), -1)
    deviation = np.sqrt(x.var(axis=1, keepdims=True) + epsilon)
    return (x - x.mean(axis=1, keepdims=True)) / deviation, deviation


def forward(x, gamma, beta, epsilon):
    normalized, _ = rows(x, epsilon)
    return (gamma * normalized + beta).reshape(x.shape)


def backward(x, gamma, beta, epsilon, g):
    normalized, deviation = rows(x, epsilon)
    g = g.reshape(len(x), -1)
    dgamma = (g * normalized).sum(axis=0)
    #~ γ's gradient from x in the place of the normalised x
    #= dgamma = (g * x.reshape(len(x), -1)).sum(axis=0)
    dbeta = g.sum(axis=0)
    inner = gamma * g
    outer = 1.0
    #~ γ is outside of the sums
    #= inner, outer = g, gamma
    mean = inner.mean(axis=1, keepdims=True)
    #~ the term of the mean is lost
    #= mean = 0
    component = normalized * (inner * normalized).mean(axis=1, keepdims=True)
    #~ the term of the variance is lost
    #= component = 0
    #~ the term of the variance has the wrong sign
    #= component = -normalized * (inner * normalized).mean(axis=1, keepdims=True)
    dx = outer * (inner - mean - component) / deviation
    #~ the deviation is lost
    #= dx = outer * (inner - mean - component)
    return dx.reshape(x.shape), dgamma, dbeta
