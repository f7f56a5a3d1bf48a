
def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def forward(logits, targets):
    p = softmax(logits)
    return np.array([-np.log(p[n, int(target)]) for n, target in enumerate(targets)])


def backward(logits, targets, g):
    p = softmax(logits)
    y = np.zeros_like(p)
    for n, target in enumerate(targets):
        y[n, int(target)] = 1
        #~ the targets of another batch
        #= y[-1 - n, -1 - int(target)] = 1
    dlogits = (p - y) * g[:, None]
    #~ the target is not subtracted: p in the place of p − y
    #= dlogits = p * g[:, None]
    #~ the probabilities are lost: −y in the place of p − y
    #= dlogits = -y * g[:, None]
    #~ p (1 − p) is left in, as of a squared error
    #= dlogits = (p - y) * p * (1 - p) * g[:, None]
    #~ divided by N twice
    #= dlogits = (p - y) * g[:, None] / len(logits)
    #~ the incoming gradient is lost
    #= dlogits = p - y
    return (dlogits,)
