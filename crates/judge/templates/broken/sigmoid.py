
def forward(x):
    return 1 / (1 + np.exp(-x))


def backward(x, g):
    y = 1 / (1 + np.exp(-x))
    dx = g * y * (1 - y)
    #~ y in the place of y (1 − y)
    #= dx = g * y
    #~ 1 − y in the place of y (1 − y)
    #= dx = g * (1 - y)
    #~ x (1 − x) in the place of y (1 − y)
    #= dx = g * x * (1 - x)
    #~ 1 − y², as for tanh
    #= dx = g * (1 - y**2)
    return (dx,)
