//! Links without the C library and its start-up files, for the host and for bare metal.
fn main() {
    let bare = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "none");
    let arguments: &[&str] = match bare {
        true => &["-e_start"],
        false => &["-nostdlib", "-nostartfiles", "-static", "-Wl,--no-undefined"],
    };
    for argument in arguments {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
