
def along(vector):
    return vector.reshape(1, -1, 1, 1)


def statistics(x, running_mean, running_variance, training):
    if training:
        return x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    return running_mean, running_variance


def forward(x, gamma, beta, running_mean, running_variance, training, epsilon):
    mean, variance = statistics(x, running_mean, running_variance, training)
    return along(gamma) * (x - along(mean)) / np.sqrt(along(variance) + epsilon) + along(beta)


def backward(x, gamma, beta, running_mean, running_variance, training, epsilon, g):
    mean, variance = statistics(x, running_mean, running_variance, training)
    deviation = np.sqrt(along(variance) + epsilon)
    normalized = (x - along(mean)) / deviation
    dgamma = (g * normalized).sum(axis=(0, 2, 3))
    #~ γ's gradient from x in the place of the normalised x
    #= dgamma = (g * x).sum(axis=(0, 2, 3))
    #~ γ and β averaged over the batch
    #= dgamma = (g * normalized).mean(axis=(0, 2, 3))
    dbeta = g.sum(axis=(0, 2, 3))
    count = x.size / x.shape[1]
    #~ the variance divided by M − 1
    #= count = x.size / x.shape[1] - 1
    share = x.size / x.shape[1]
    dx = along(gamma) * g / deviation
    #~ γ is lost
    #= gamma, dx = np.ones_like(gamma), g / deviation
    #~ the deviation is lost
    #= deviation, dx = 1.0, along(gamma) * g
    if training:
    #~ mean and variance taken for constants, as in inference
    #= if False:
        dx -= along(gamma) * along(g.sum(axis=(0, 2, 3))) / share / deviation
        #~ the term of the mean is lost
        #= dx -= 0
        dx -= along(gamma) * normalized * along((g * normalized).sum(axis=(0, 2, 3))) / count / deviation
        #~ the term of the variance is lost
        #= dx -= 0
    return dx, dgamma, dbeta
