//! A trained network behind HTTP: images in, predictions as JSON out, and a page to drop images on.
