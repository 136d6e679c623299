//! Command lines as data: `tests/cases/*.json`, one list of cases a file.
//!
//! | member | meaning |
//! |---|---|
//! | `name` | what the case is about |
//! | `args` | the command line; several lists are run one after the other |
//! | `files` | files that are there, by name |
//! | `stdin`, `env` | what the program is given (of the last run) |
//! | `status` | how the last run ends |
//! | `stdout` | its whole standard output, if it counts |
//! | `stdout_has`, `stderr_has`, `stdout_lacks`, `stderr_lacks` | texts in it, and texts not in it |
//! | `left` | all names in the folder afterwards |

use serde_json::Value;

use crate::program::{Place, feed};

#[test]
fn command_lines() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases");
    let mut ran = 0;
    let mut failed = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
        println!("{}: {} cases", path.display(), cases.len());
        for case in &cases {
            ran += 1;
            if let Err(why) = try_case(case) {
                failed.push(format!("{}: {}: {why}", path.display(), case["name"]));
            }
        }
    }
    assert!(ran > 0, "no case in {folder}");
    assert!(failed.is_empty(), "{} of {ran} failed:\n{}", failed.len(), failed.join("\n"));
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
}

fn try_case(case: &Value) -> Result<(), String> {
    let known = [
        "name",
        "args",
        "files",
        "stdin",
        "env",
        "status",
        "stdout",
        "stdout_has",
        "stderr_has",
        "stdout_lacks",
        "stderr_lacks",
        "left",
    ];
    let object = case.as_object().unwrap();
    if let Some(name) = object.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("no such member: {name}"));
    }
    let place = Place::new();
    for (name, content) in case["files"].as_object().into_iter().flatten() {
        place.write(name, content.as_str().unwrap());
    }
    let lines: Vec<Vec<&str>> = match case["args"].get(0) {
        Some(Value::Array(_)) => case["args"].as_array().unwrap().iter().map(texts).collect(),
        _ => vec![texts(&case["args"])],
    };
    let (last, before) = lines.split_last().unwrap();
    for args in before {
        let ran = place.run(args);
        if ran.status != Some(0) {
            return Err(format!("{args:?} ended with {:?}: {}", ran.status, ran.stderr));
        }
    }
    let mut command = place.command(last);
    for (name, value) in case["env"].as_object().into_iter().flatten() {
        command.env(name, value.as_str().unwrap());
    }
    let ran = feed(&mut command, case["stdin"].as_str().unwrap_or_default());

    let status = case["status"].as_i64().unwrap();
    if ran.status.map(i64::from) != Some(status) {
        return Err(format!("status {:?} instead of {status}: {}", ran.status, ran.stderr));
    }
    if let Some(stdout) = case["stdout"].as_str().filter(|stdout| *stdout != ran.stdout) {
        return Err(format!("stdout is {:?} instead of {stdout:?}", ran.stdout));
    }
    for (member, whole, wanted) in [
        ("stdout_has", &ran.stdout, true),
        ("stderr_has", &ran.stderr, true),
        ("stdout_lacks", &ran.stdout, false),
        ("stderr_lacks", &ran.stderr, false),
    ] {
        if let Some(text) =
            texts(&case[member]).iter().find(|text| whole.contains(**text) != wanted)
        {
            return Err(format!("{member} {text:?}: {whole}"));
        }
    }
    if case["left"].is_array() && texts(&case["left"]) != place.names() {
        return Err(format!("left behind: {:?}", place.names()));
    }
    Ok(())
}
