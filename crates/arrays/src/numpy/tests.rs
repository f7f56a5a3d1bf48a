use std::io::Write;

use flate2::Crc;
use flate2::write::DeflateEncoder;

use super::read;
use crate::unpack::Budget;

/// A `.npy` file with that head.
fn array(head: &str, numbers: &[u8]) -> Vec<u8> {
    [b"\x93NUMPY\x01\x00", &(head.len() as u16).to_le_bytes()[..], head.as_bytes(), numbers].concat()
}

fn floats() -> Vec<u8> {
    let numbers = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0].map(f32::to_le_bytes).concat();
    array("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", &numbers)
}

/// A zip archive of these files, stored or deflated.
fn archive(files: &[(&str, Vec<u8>)], deflate: bool) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let mut crc = Crc::new();
        crc.update(content);
        let packed = if deflate {
            let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        } else {
            content.clone()
        };
        let begin = archive.len() as u32;
        // Version, flags, method, time, date; then checksum, sizes, the length of the name and of what comes after it.
        let mut record = vec![20, 0, 0, 0, if deflate { 8 } else { 0 }, 0, 0, 0, 0, 0];
        for number in [crc.sum(), packed.len() as u32, content.len() as u32] {
            record.extend_from_slice(&number.to_le_bytes());
        }
        record.extend_from_slice(&(name.len() as u16).to_le_bytes());
        record.extend_from_slice(&[0, 0]);
        archive.extend_from_slice(&[b"PK\x03\x04", &record[..], name.as_bytes(), &packed].concat());
        directory.extend_from_slice(
            &[b"PK\x01\x02\x14\x00", &record[..], &[0; 10], &begin.to_le_bytes(), name.as_bytes()].concat(),
        );
    }
    let (entries, size, begin) = (files.len() as u16, directory.len() as u32, archive.len() as u32);
    let counts = [entries, entries].map(u16::to_le_bytes).concat();
    let places = [size, begin].map(u32::to_le_bytes).concat();
    [&archive[..], &directory, b"PK\x05\x06\0\0\0\0", &counts, &places, &[0, 0]].concat()
}

/// The shape and the numbers of the first array.
fn first(bytes: &[u8]) -> Result<(Vec<usize>, Vec<f64>), String> {
    let tensors = read(bytes, &mut Budget::new(bytes.len(), 6)).map_err(|error| error.to_string())?;
    let tensor = tensors.values().next().ok_or("nothing")?;
    Ok((tensor.shape.clone(), tensor.values().collect()))
}

fn refused(files: &[(&str, Vec<u8>)]) -> String {
    first(&archive(files, false)).unwrap_err()
}

#[test]
fn stored_and_deflated_arrays_are_read_by_their_names() {
    for deflate in [false, true] {
        let bytes = archive(&[("conv1.weight.npy", floats()), ("conv1.bias.npy", floats())], deflate);
        let tensors = read(&bytes, &mut Budget::new(bytes.len(), 6)).unwrap();
        let names: Vec<&str> = tensors.keys().map(String::as_str).collect();
        assert_eq!(names, ["conv1.bias", "conv1.weight"]);
        assert_eq!(tensors["conv1.weight"].shape, [2, 3]);
        let values: Vec<f64> = tensors["conv1.weight"].values().collect();
        assert_eq!(values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }
    assert_eq!(first(&archive(&[], false)).unwrap_err(), "nothing");
}

#[test]
fn heads_are_read_as_python_may_write_them() {
    let of = |head: &str, numbers: &[u8]| first(&archive(&[("a.npy", array(head, numbers))], false));
    let columns = of("{\"shape\":(2,2),\"fortran_order\":True,\"descr\":\"|u1\"}", &[1, 2, 3, 4]);
    assert_eq!(columns, Ok((vec![2, 2], vec![1.0, 3.0, 2.0, 4.0])));
    let big = of("{'descr': '>i2', 'fortran_order': False, 'shape': (1,), }   \n", &[1, 0]);
    assert_eq!(big, Ok((vec![1], vec![256.0])));
    let scalar = of("{'descr': '<f2', 'fortran_order': False, 'shape': (), }", &[0, 0x3c]);
    assert_eq!(scalar, Ok((vec![], vec![1.0])));
    let empty = of("{'descr': '<f8', 'fortran_order': True, 'shape': (0, 3), }", &[]);
    assert_eq!(empty, Ok((vec![0, 3], vec![])));
    let long = "{'descr': '|i1', 'fortran_order': False, 'shape': (1,), }";
    for version in [2, 3] {
        let head = [&b"\x93NUMPY"[..], &[version, 0], &(long.len() as u32).to_le_bytes(), long.as_bytes()].concat();
        let found = first(&archive(&[("a.npy", [&head[..], &[0xff]].concat())], true));
        assert_eq!(found, Ok((vec![1], vec![-1.0])), "version {version}");
    }
}

#[test]
fn arrays_that_are_not_read_are_refused_by_name_with_the_reason() {
    let of = |descr: &str| {
        let head = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}");
        refused(&[("conv1.bias.npy", array(&head, &[0; 8]))])
    };
    let expected = "; expected floating-point numbers or integers, such as `np.float32`";
    let why = "has Python objects as elements; they are a pickle, which runs code when it is read";
    assert_eq!(of("'|O'"), format!("has an array `conv1.bias` that {why}{expected}"));
    assert_eq!(of("[('a', '<f4'), ('b', '|O')]"), format!("has an array `conv1.bias` that {why}{expected}"));
    for other in ["|b1", "<c8", "<U2", "f4", "=f4", "<f16", ""] {
        let found = format!("has an array `conv1.bias` that has elements of the type `{other}`{expected}");
        assert_eq!(of(&format!("'{other}'")), found);
    }
    assert!(of("[('a', '<f4')]").contains("has elements of the type `[('a', '<f4')]`"));
    let content = |content: Vec<u8>| refused(&[("a.npy", content)]);
    let version = content([b"\x93NUMPY\x04\x00", &floats()[8..]].concat());
    assert_eq!(version, "has an array `a` that has the version 4.0 of the format; expected 1.0, 2.0 or 3.0");
    let shape = content(array("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", &[0; 8]));
    assert_eq!(
        shape,
        "has an array `a` that has the shape [3] and 8 bytes of numbers; expected 4 bytes for each number"
    );
    let all = u64::MAX;
    let overflow = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({all}, {all}), }}");
    assert!(content(array(&overflow, &[])).contains("and 0 bytes of numbers"));
    for head in [
        "",
        "{}",
        "{'descr': '<f4'}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} and more",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1",
    ] {
        assert!(content(array(head, &[0; 4])).contains("its head is no dictionary of NumPy's"), "{head}");
    }
    for cut in 0..floats().len() {
        content(floats()[..cut].to_vec());
    }
}

#[test]
fn archives_that_are_not_numpys_are_refused() {
    assert!(refused(&[("archive/data.pkl", Vec::new())]).starts_with("is a file of `torch.save`, which is a pickle "));
    assert_eq!(
        refused(&[("a.npy", floats()), ("word/document.xml", Vec::new())]),
        "is a zip archive with the file `word/document.xml`; expected an archive of NumPy, in which every file is an \
         array with the ending .npy"
    );
    assert!(refused(&[("a.npy", floats()), ("a.npy", floats())]).contains("it has the file `a.npy` twice"));
    let mut twice = archive(&[("a.npy", vec![0; 900]), ("b.npy", vec![0; 900])], false);
    // The second entry says that its content is where that of the first is, but for the name.
    let second = twice.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
    let first_name = twice.windows(5).position(|five| five == b"a.npy").unwrap();
    twice[first_name] = b'b';
    let first_entry = twice.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    twice[first_entry + 46] = b'b';
    assert!(first(&twice).unwrap_err().contains("it has the file `b.npy` twice"));
    twice[first_entry + 20..first_entry + 24].copy_from_slice(&1_500_u32.to_le_bytes());
    twice[first_entry + 46] = b'a';
    twice[first_name] = b'a';
    twice[second + 20..second + 24].copy_from_slice(&900_u32.to_le_bytes());
    assert!(first(&twice).unwrap_err().contains("its files overlap"));
    let with = |place: usize, byte: u8| {
        let mut bytes = archive(&[("a.npy", floats())], false);
        let directory = bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
        bytes[directory + place] = byte;
        first(&bytes).unwrap_err()
    };
    let expected = "; expected what `np.savez` or `np.savez_compressed` writes";
    assert_eq!(with(8, 1), format!("is an archive whose file `a.npy` is encrypted{expected}"));
    assert_eq!(with(10, 14), format!("is an archive whose file `a.npy` is packed by the method 14{expected}"));
    assert!(with(16, 0).contains("is a damaged archive: `a.npy` cannot be unpacked"), "another checksum");
    assert!(with(20, 0xff).contains("the file `a.npy` is cut"), "more bytes than there are");
    assert!(with(42, 1).contains("the file `a.npy` is not where it should be"));
    assert!(with(46, b'b').contains("the file `b.npy` is not where it should be"), "another name");
}

#[test]
fn an_array_that_unpacks_hugely_is_refused() {
    let zeros = array("{'descr': '|u1', 'fortran_order': False, 'shape': (4000000,), }", &vec![0; 4_000_000]);
    let error = first(&archive(&[("a.npy", zeros.clone())], true)).unwrap_err();
    assert!(error.starts_with("is an archive in which `a.npy` unpacks to more than its tensors take; "), "{error}");
    assert_eq!(
        first(&archive(&[("a.npy", zeros)], false)).unwrap().0,
        [4_000_000],
        "stored, it is as large as its file"
    );
}

#[test]
fn an_archive_that_is_cut_or_changed_anywhere_is_no_panic() {
    for deflate in [false, true] {
        let bytes = archive(&[("a.npy", floats()), ("b.npy", floats())], deflate);
        assert!(first(&bytes).is_ok());
        for place in 0..bytes.len() {
            assert!(first(&bytes[..place]).is_err(), "cut at {place}");
            for change in [0x01, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[place] ^= change;
                let _ = first(&changed);
            }
        }
    }
}
