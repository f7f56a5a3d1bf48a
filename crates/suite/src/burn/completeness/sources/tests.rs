use super::*;

fn of(text: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    let module = Module { folder: PathBuf::from("nowhere"), path: Vec::new(), shown: Shown::All };
    walk(&syn::parse_file(text).unwrap().items, &module, &mut found);
    found.into_iter().collect()
}

#[test]
fn methods_that_map_floats_are_found_and_no_others() {
    let text = "
        impl<const D: usize> Tensor<D> {
            pub fn exp(self) -> Self {}
            pub(crate) fn relu(self) -> Self {}
            fn own(self) -> Self {}
            pub fn int(self) -> Tensor<D, Int> {}
            pub fn is_nan(self) -> Tensor<D, Bool> {}
            pub fn dims(&self) -> [usize; D] {}
            pub fn zeros(shape: Shape) -> Self {}
            pub fn pair(self) -> (Self, Tensor<D, Int>) {}
            pub fn cast<T: Cast<D, Float>>(self, dtype: T) -> Tensor<D, T::OutputKind> {}
            pub async fn later(self) -> Tensor<1> {}
        }
        impl<const D: usize, K: Basic> Tensor<D, K> {
            pub fn cat(tensors: Vec<Self>) -> Self {}
            pub fn iter_dim(self) -> DimIter<D, K> {}
            pub fn data(&self) -> impl Future<Output = TensorData> {}
            pub fn einsum(operands: impl IntoIterator<Item = EinsumOperand<K>>) -> Self {}
        }
        impl Tensor<1, Int> { pub fn float(self) -> Tensor<1> {} }
        impl<const D: usize> Add for Tensor<D> { fn add(self, other: Self) -> Self {} }
        impl Other { pub fn exp2(self) -> Self {} }
    ";
    let all = ["cast", "cat", "einsum", "exp", "iter_dim", "later", "pair"];
    assert_eq!(of(text), all.map(|name| format!("Tensor::{name}")));
}

#[test]
fn functions_count_where_they_are_public() {
    let text = "
        pub mod activation {
            pub fn relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {}
            pub fn only_int(x: Tensor<2, Int>) -> Tensor<2> {}
            pub fn mesh<const N: usize, K>(x: &[Tensor<1, K>; N]) -> [Tensor<N, K>; N] {}
            mod base { pub fn sigmoid(x: Tensor<2>) -> Tensor<2> {} pub fn tanh(x: Tensor<2>) -> Tensor<2> {} }
            pub use base::*;
        }
        mod stats { pub fn median(x: Tensor<2>) -> Tensor<2> {} pub fn var(x: Tensor<2>) -> Tensor<2> {} }
        pub use self::stats::{var};
        pub(crate) mod own { pub fn hidden(x: Tensor<2>) -> Tensor<2> {} }
        #[doc(hidden)] pub mod __macros { pub fn chain(x: Tensor<2>) -> Tensor<2> {} }
        #[cfg(test)] pub mod tests { pub fn helper(x: Tensor<2>) -> Tensor<2> {} }
    ";
    assert_eq!(of(text), ["activation::mesh", "activation::relu", "activation::sigmoid", "activation::tanh", "var"]);
}

#[test]
#[should_panic(expected = "has no sources")]
fn a_crate_without_sources_is_no_empty_list() {
    root("burn-tensor", "0.0.0");
}
