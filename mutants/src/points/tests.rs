use super::*;

fn whats(source: &str) -> Vec<String> {
    let found = find(source, 1).unwrap();
    found.points.iter().flat_map(|point| &point.mutants).map(|mutant| mutant.what.clone()).collect()
}

fn left_out(source: &str) -> LeftOut {
    find(source, 1).unwrap().left_out
}

#[test]
fn operators_are_replaced() {
    assert_eq!(whats("fn new() { a < b }"), ["replace < with ==", "replace < with >", "replace < with <="]);
    assert_eq!(whats("fn new() { a += b; }"), ["replace += with -=", "replace += with *="]);
    assert_eq!(whats("fn new() { !a; -b; *c; }"), ["delete !", "delete -"]);
}

#[test]
fn a_function_is_named_with_its_type() {
    let found = find("impl<'a> Oracle<'a> { fn f(&self) -> bool { self.x } }", 7).unwrap();
    let mutants = &found.points[0].mutants;
    assert_eq!(mutants[0].function, "Oracle::f");
    assert_eq!(mutants.iter().map(|mutant| mutant.id).collect::<Vec<_>>(), [7, 8]);
    assert_eq!(mutants[1].what, "replace Oracle::f with false");
    assert_eq!(mutants[1].code, "return false;");
}

#[test]
fn tests_and_constants_are_left_out() {
    let none: [&str; 0] = [];
    assert_eq!(whats("#[cfg(test)] mod tests { fn f() { a + b; } }"), none);
    assert_eq!(whats("#[test] fn f() { a + b; }"), none);
    assert_eq!(whats("const X: f64 = 1.0 + 2.0; static Y: u8 = 1 + 1;"), none);
    assert_eq!(whats("const fn f() -> u8 { 1 + 1 }"), none);
    assert_eq!(whats("fn new() { [0; 1 + 1]; const { 1 + 1 }; match x { -1 => 2 } }"), none);
    assert_eq!(left_out("const X: u8 = 1; const fn f() -> u8 { 1 }").constants, 2);
    assert_eq!(left_out("impl Display for X { fn fmt(&self) -> R { a + b } }").words, 1);
    assert_eq!(left_out("fn new() { if let a = b && c {} }").chains, 1);
    assert_eq!(left_out("fn new() { match x { 1 => a, 2 => b, _ => c } }").arms, 2);
    assert_eq!(left_out("fn new() { X { a: 1, ..x } }").fields, 1);
}

#[test]
fn modules_in_other_files_are_told() {
    assert_eq!(find("mod a; #[cfg(test)] mod tests; mod b { }", 1).unwrap().modules, ["a"]);
}
