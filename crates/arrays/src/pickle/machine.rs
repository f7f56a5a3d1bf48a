//! The opcodes of a pickle.

use std::collections::BTreeMap;

use super::objects::{Array, Chars, Function, Id, Kind, Object};
use crate::FormatError;
use crate::error::shown;

/// A damaged pickle.
pub(super) fn damaged(what: impl std::fmt::Display) -> FormatError {
    FormatError::new(format!("is a damaged pickle: {what}"), "a whole one; save or copy it again")
}

fn refused(what: impl std::fmt::Display) -> FormatError {
    FormatError::new(
        format!("is a pickle that {what}"),
        "a dictionary of NumPy arrays, whole numbers and text; nothing else is read, because a pickle may run any code",
    )
}

/// How many steps may yet make or remember an object.
///
/// Each takes less than 64 bytes of memory. A file of images has far fewer objects than bytes: a batch of CIFAR-10 has
/// a number and a name for 3,072 pixels. So with a step for 128 bytes, objects take less than half of the file's size;
/// 10,000 more are for small files.
#[derive(Debug)]
pub(super) struct Limit {
    left: usize,
}

impl Limit {
    fn of(length: usize) -> Self {
        Self { left: 10_000 + length / 128 }
    }

    fn spend(&mut self) -> Result<(), FormatError> {
        let left = self.left.checked_sub(1);
        self.left = left.ok_or_else(|| refused("has more objects than arrays of images need"))?;
        Ok(())
    }
}

pub(super) struct Machine<'a> {
    rest: &'a [u8],
    objects: Vec<Object<'a>>,
    stack: Vec<Id>,
    /// The heights of the stack that are marked.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Id>,
    limit: Limit,
}

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            objects: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: BTreeMap::new(),
            limit: Limit::of(bytes.len()),
        }
    }

    /// All objects, and the one that was pickled.
    pub(super) fn run(mut self) -> Result<(Vec<Object<'a>>, Id), FormatError> {
        match self.rest {
            [0x80, 2..=5, rest @ ..] => self.rest = rest,
            [0x80, version, ..] => {
                let found = format!("is a pickle of the protocol {version}");
                return Err(FormatError::new(found, "protocol 2, 3, 4 or 5"));
            }
            _ => {
                let expected = "a pickle of the protocols 2 to 5, which begins with the byte 80 (hexadecimal)";
                return Err(FormatError::new("is no pickle", expected));
            }
        }
        loop {
            let [opcode] = self.bytes()?;
            if opcode == b'.' {
                break;
            }
            self.step(opcode)?;
        }
        let top = self.pop()?;
        match self.rest.len() {
            0 => Ok((self.objects, top)),
            more => Err(damaged(format_args!("{more} bytes come after its end"))),
        }
    }

    fn step(&mut self, opcode: u8) -> Result<(), FormatError> {
        match opcode {
            // A frame says how many bytes may be read ahead.
            0x95 => self.bytes::<8>().map(drop),
            b'(' => {
                self.limit.spend()?;
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'N' => self.push(Object::None),
            0x88 => self.push(Object::Truth(true)),
            0x89 => self.push(Object::Truth(false)),
            b'J' => {
                let integer = i32::from_le_bytes(self.bytes()?);
                self.push(Object::Integer(integer.into()))
            }
            b'K' => {
                let [integer] = self.bytes()?;
                self.push(Object::Integer(integer.into()))
            }
            b'M' => {
                let integer = u16::from_le_bytes(self.bytes()?);
                self.push(Object::Integer(integer.into()))
            }
            0x8a => self.long(),
            b'U' | b'T' | b'C' | b'B' | 0x8e | 0x96 => {
                let bytes = self.counted(opcode)?;
                self.push(Object::Bytes(Chars::Bytes(bytes)))
            }
            b'X' | 0x8c | 0x8d => {
                let text = std::str::from_utf8(self.counted(opcode)?);
                self.push(Object::Text(text.map_err(|_| damaged("a text is not UTF-8"))?))
            }
            b')' => self.push(Object::Tuple(Vec::new())),
            0x85..=0x87 => {
                let below = self.stack.len().checked_sub(usize::from(opcode - 0x84));
                let items = self.stack.split_off(below.ok_or_else(|| damaged("a tuple lacks its items"))?);
                self.push(Object::Tuple(items))
            }
            b't' => {
                let items = self.marked()?;
                self.push(Object::Tuple(items))
            }
            b']' => self.push(Object::List(Vec::new())),
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])
            }
            b'e' => {
                let items = self.marked()?;
                self.append(&items)
            }
            b'}' => self.push(Object::Dictionary(Vec::new())),
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(&[key, value])
            }
            b'u' => {
                let items = self.marked()?;
                self.set(&items)
            }
            b'q' | b'r' | 0x94 => self.remember(opcode),
            b'h' | b'j' => {
                let place = self.place(opcode == b'h')?;
                let found = self.memo.get(&place).copied();
                self.limit.spend()?;
                self.stack.push(found.ok_or_else(|| damaged("it asks for an object that it has not kept"))?);
                Ok(())
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.function(module, name)
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (self.object(module).text(), self.object(name).text()) {
                    (Some(module), Some(name)) => self.function(module, name),
                    _ => Err(damaged("the name of a function is no text")),
                }
            }
            b'R' => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                let made = self.call(function, arguments)?;
                self.push(made)
            }
            b'b' => {
                let state = self.pop()?;
                let built = *self.stack.last().ok_or_else(|| damaged("its stack is empty"))?;
                self.build(built, state)
            }
            _ => Err(refused(format_args!("has the opcode {opcode:02x} (hexadecimal)"))),
        }
    }

    fn object(&self, id: Id) -> &Object<'a> {
        &self.objects[id as usize]
    }

    fn push(&mut self, object: Object<'a>) -> Result<(), FormatError> {
        self.limit.spend()?;
        self.stack.push(self.objects.len() as Id);
        self.objects.push(object);
        Ok(())
    }

    /// The top of the stack, but nothing from below a mark.
    fn pop(&mut self) -> Result<Id, FormatError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let popped = if self.stack.len() > floor { self.stack.pop() } else { None };
        popped.ok_or_else(|| damaged("its stack is empty"))
    }

    /// What is above the last mark.
    fn marked(&mut self) -> Result<Vec<Id>, FormatError> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        Ok(self.stack.split_off(mark.ok_or_else(|| damaged("a mark is missing"))?))
    }

    fn append(&mut self, items: &[Id]) -> Result<(), FormatError> {
        let list = self.stack.last().map(|&id| &mut self.objects[id as usize]);
        let Some(Object::List(list)) = list else { return Err(damaged("it appends to what is no list")) };
        list.extend_from_slice(items);
        Ok(())
    }

    fn set(&mut self, items: &[Id]) -> Result<(), FormatError> {
        let dictionary = self.stack.last().map(|&id| &mut self.objects[id as usize]);
        let Some(Object::Dictionary(entries)) = dictionary else {
            return Err(damaged("it sets an entry of what is no dictionary"));
        };
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(damaged("a key has no value"));
        }
        entries.extend(pairs.iter().map(|&[key, value]| (key, value)));
        Ok(())
    }

    fn remember(&mut self, opcode: u8) -> Result<(), FormatError> {
        let place = match opcode {
            0x94 => self.memo.len() as u32,
            _ => self.place(opcode == b'q')?,
        };
        let top = *self.stack.last().ok_or_else(|| damaged("its stack is empty"))?;
        self.limit.spend()?;
        self.memo.insert(place, top);
        Ok(())
    }

    /// A place of the memo.
    fn place(&mut self, short: bool) -> Result<u32, FormatError> {
        Ok(if short { self.bytes::<1>()?[0].into() } else { u32::from_le_bytes(self.bytes()?) })
    }

    fn function(&mut self, module: &str, name: &str) -> Result<(), FormatError> {
        match Function::of(module, name) {
            Some(function) => self.push(Object::Function(function)),
            None => Err(refused(format_args!("calls `{}.{}`", shown(module), shown(name)))),
        }
    }

    /// What the function would give.
    fn call(&self, function: Id, arguments: Id) -> Result<Object<'a>, FormatError> {
        let (Object::Function(function), Object::Tuple(arguments)) = (self.object(function), self.object(arguments))
        else {
            return Err(damaged("it calls what is no function"));
        };
        let arguments: Vec<&Object<'a>> = arguments.iter().take(5).map(|&id| self.object(id)).collect();
        let made = match (function, &arguments[..]) {
            // The class, a shape and a type that `BUILD` replaces.
            (Function::Reconstruct, [Object::Function(Function::ArrayClass), _, _]) => {
                Some(Object::Array(Box::new(Array::Empty)))
            }
            (Function::FromBuffer, [bytes, kind, shape, order]) => self.array_of_buffer(bytes, kind, shape, order),
            // The name, and whether it is to be aligned and copied.
            (Function::DType, [name, ..]) => match name.text() {
                Some(name) => match Kind::of(name) {
                    Some(kind) => Some(Object::Kind(kind)),
                    None => return Err(refused(format_args!("has an array of the type `{}`", shown(name)))),
                },
                None => None,
            },
            (Function::Encode, [Object::Text(text), codec]) if codec.text() == Some("latin1") => {
                Some(Object::Bytes(Chars::Latin1(text)))
            }
            (Function::Bytes, []) => Some(Object::Bytes(Chars::Bytes(&[]))),
            _ => None,
        };
        made.ok_or_else(|| refused(format_args!("calls {function:?} with other arguments than NumPy does")))
    }

    fn array_of_buffer(
        &self,
        bytes: &Object<'a>,
        kind: &Object<'a>,
        shape: &Object<'a>,
        order: &Object<'a>,
    ) -> Option<Object<'a>> {
        let (Object::Bytes(chars), Object::Kind(kind)) = (bytes, kind) else { return None };
        let fortran_order = match order.text()? {
            "C" => false,
            "F" => true,
            _ => return None,
        };
        let array = Array::Whole { shape: self.shape(shape)?, kind: *kind, fortran_order, chars: *chars };
        Some(Object::Array(Box::new(array)))
    }

    /// Fills an array, or says the byte order of a type.
    fn build(&mut self, built: Id, state: Id) -> Result<(), FormatError> {
        let Object::Tuple(state) = self.object(state) else {
            return Err(damaged("the state of an object is no tuple"));
        };
        let state: Vec<&Object<'a>> = state.iter().take(9).map(|&id| self.object(id)).collect();
        let now = match (self.object(built), &state[..]) {
            (Object::Array(_), [Object::Integer(_), shape, Object::Kind(kind), order, Object::Bytes(chars)]) => {
                // Python 2.2 had no truth values, and NumPy may write a number.
                let fortran_order = matches!(order, Object::Truth(true) | Object::Integer(1));
                self.shape(shape).map(|shape| {
                    Object::Array(Box::new(Array::Whole { shape, kind: *kind, fortran_order, chars: *chars }))
                })
            }
            (Object::Kind(kind), [Object::Integer(_), order, ..]) => match order.text() {
                Some(order @ (">" | "<" | "|" | "=")) => Some(Object::Kind(Kind { big_endian: order == ">", ..*kind })),
                _ => None,
            },
            _ => None,
        };
        let now = now.ok_or_else(|| refused("has an object with another state than NumPy gives"))?;
        self.objects[built as usize] = now;
        Ok(())
    }

    fn shape(&self, shape: &Object<'a>) -> Option<Vec<usize>> {
        // NumPy's own limit of axes is 64.
        let Object::Tuple(lengths) = shape else { return None };
        let length = |&id: &Id| match self.object(id) {
            Object::Integer(length) => usize::try_from(*length).ok(),
            _ => None,
        };
        (lengths.len() <= 64).then(|| lengths.iter().map(length).collect())?
    }

    /// A whole number of up to eight bytes.
    fn long(&mut self) -> Result<(), FormatError> {
        let [count] = self.bytes()?;
        let bytes = self.take(count.into())?;
        let mut eight = [if bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 }; 8];
        match eight.get_mut(..bytes.len()) {
            Some(low) => low.copy_from_slice(bytes),
            None => return Err(refused("has a number of more than eight bytes")),
        }
        self.push(Object::Integer(i64::from_le_bytes(eight)))
    }

    /// The bytes of an opcode that says how many they are.
    fn counted(&mut self, opcode: u8) -> Result<&'a [u8], FormatError> {
        let count = match opcode {
            b'U' | b'C' | 0x8c => u64::from(self.bytes::<1>()?[0]),
            0x8d | 0x8e | 0x96 => u64::from_le_bytes(self.bytes()?),
            _ => u32::from_le_bytes(self.bytes()?).into(),
        };
        self.take(usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], FormatError> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(damaged(format_args!("{count} bytes should follow, and {} do", self.rest.len()))),
        }
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(|| damaged("it ends in an opcode"))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Up to the next line feed, as the names of a function are written.
    fn line(&mut self) -> Result<&'a str, FormatError> {
        let end = self.rest.iter().position(|&byte| byte == b'\n');
        let line = self.take(end.ok_or_else(|| damaged("the name of a function is cut"))?)?;
        self.rest = &self.rest[1..];
        std::str::from_utf8(line).map_err(|_| damaged("the name of a function is no text"))
    }
}
