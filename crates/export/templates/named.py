def named(**layers):
    """Layers in a row, with these names."""
    return nn.Sequential(OrderedDict(layers))
