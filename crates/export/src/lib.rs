//! A trained network as files that other programs run: ONNX, and a PyTorch module.
