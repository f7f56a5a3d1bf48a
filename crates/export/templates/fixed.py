def fixed(module, *names):
    """A module with parameters that are not trained."""
    for name in names:
        getattr(module, name).requires_grad_(False)
    return module
