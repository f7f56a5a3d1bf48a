
def forward(x):
    return np.maximum(x, 0)


def backward(x, g):
    dx = g * (x > 0)
    #~ the gradient passes at x = 0
    #= dx = g * (x >= 0)
    #~ half of the gradient passes at x = 0
    #= dx = g * (0.5 + 0.5 * np.sign(x))
    #~ the mask is lost: the gradient passes everywhere
    #= dx = g.copy()
    #~ the mask is inverted
    #= dx = g * (x < 0)
    #~ the output in the place of its derivative
    #= dx = g * np.maximum(x, 0)
    return (dx,)
