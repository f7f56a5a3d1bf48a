//! Files as publishers and other programs write them, for the tests.

pub(crate) use backproof_arrays::write::{npy, zip};

/// A batch of CIFAR as Python 2 pickled it: names of files, lists of labels, and the pixels of images of 3×32×32. The
/// opcodes are those of `tests/fixtures/pickles/published.pickle`.
pub(crate) fn python_batch(lists: &[(&str, &[u8])], pixels: &[u8]) -> Vec<u8> {
    let text = |text: &str| [&[b'U', text.len() as u8][..], text.as_bytes()].concat();
    let put = |place: u32| [&b"r"[..], &place.to_le_bytes()].concat();
    let images = (pixels.len() / 3_072) as u32;
    // Python appends a thousand items at a time.
    let list = |items: Vec<Vec<u8>>| -> Vec<u8> {
        let parts = items.chunks(1_000).map(|items| [&b"("[..], &items.concat(), b"e"].concat());
        [&b"]"[..], &parts.collect::<Vec<_>>().concat()].concat()
    };
    let mut pickle = [&b"\x80\x02}q\x01("[..], &text("batch_label"), &text("training batch 1 of 5")].concat();
    for (key, labels) in lists {
        pickle.extend(text(key));
        pickle.extend(list(labels.iter().map(|&label| vec![b'K', label]).collect()));
    }
    pickle.extend(text("data"));
    pickle.extend(b"cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85U\x01b\x87Rq\x04(K\x01J");
    pickle.extend(images.to_le_bytes());
    pickle.extend(b"M\x00\x0c\x86cnumpy\ndtype\nq\x05U\x02u1K\x00K\x01\x87Rq\x06(K\x03U\x01|NNNJ\xff\xff\xff\xffJ");
    pickle.extend(b"\xff\xff\xff\xffK\x00tb\x89T");
    pickle.extend((pixels.len() as u32).to_le_bytes());
    pickle.extend(pixels);
    pickle.extend(b"tb");
    pickle.extend(text("filenames"));
    pickle
        .extend(list((0..images).map(|at| [text(&format!("image_s_{at:06}.png")), put(256 + at)].concat()).collect()));
    pickle.extend(b"u.");
    pickle
}

/// An IDX file.
pub(crate) fn idx(axes: &[u32], values: &[u8]) -> Vec<u8> {
    let axes_of = axes.iter().flat_map(|axis| axis.to_be_bytes()).collect::<Vec<u8>>();
    [&[0, 0, 8, axes.len() as u8][..], &axes_of, values].concat()
}

/// A MATLAB file of these elements.
pub(crate) fn matlab(variables: &[Vec<u8>]) -> Vec<u8> {
    let mut head = b"MATLAB 5.0 MAT-file".to_vec();
    head.resize(124, b' ');
    [&head[..], &[0, 1, b'I', b'M'], &variables.concat()].concat()
}

/// A variable of bytes (class 9, type 2), or of doubles (6, 9).
pub(crate) fn matlab_variable(name: &str, dims: &[i32], data: &[u8], class: u32, kind: u32) -> Vec<u8> {
    let flags = [class.to_le_bytes(), [0; 4]].concat();
    let dims: Vec<u8> = dims.iter().flat_map(|length| length.to_le_bytes()).collect();
    let parts = [(6, &flags[..]), (5, &dims[..]), (1, name.as_bytes()), (kind, data)];
    let content: Vec<u8> = parts.iter().flat_map(|(kind, data)| matlab_element(*kind, data)).collect();
    matlab_element(14, &content)
}

fn matlab_element(kind: u32, data: &[u8]) -> Vec<u8> {
    let padding = vec![0; data.len().next_multiple_of(8) - data.len()];
    [&kind.to_le_bytes()[..], &(data.len() as u32).to_le_bytes(), data, &padding].concat()
}
