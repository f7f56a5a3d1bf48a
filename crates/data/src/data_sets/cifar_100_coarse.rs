//! CIFAR-100 with its 20 superclasses as classes, out of the same files.

use super::cifar_100;
use crate::published::Published;

pub(super) static SOURCE: Published = cifar_100::FILES;
