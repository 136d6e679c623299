//! How the program is linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        // GCC's unwinder as a part of the program: loading its shared library takes as long as reading
        // the command line, most of it for a look at the processor that nobody here needs.
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
