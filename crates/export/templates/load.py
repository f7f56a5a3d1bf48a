def load(folder=Path(__file__).parent):
    """The trained network, ready to predict."""
    network = Network()
    network.load_state_dict(load_file(Path(folder) / "weights.safetensors"))
    return network.eval()
