// @EXPECTED_RESULTS@: COMPILER-ERROR
// Does not compile: print_line is no macro.
fn main() {
    print_line!("Hello World!");
}
