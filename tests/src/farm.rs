//! Nodes as processes, which can be killed.

use crate::databases::Database;
use crate::hooked::{Death, Defect};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fmt, thread};

/// How a node is to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// When it is to die by itself.
    pub death: Option<Death>,
    /// What its store does wrong: [`Defect::Late`] is the only one it knows.
    pub defect: Option<Defect>,
}

/// A node in a process of its own, which is killed with this.
pub struct Node {
    child: Child,
    host: String,
}

impl Node {
    /// Starts a node: `program` is that of `src/bin/node.rs`.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(program: &str, database: &Database, manner: Manner) -> Self {
        let mut command = Command::new(program);
        command.arg(database.url()).arg(database.master_key());
        if let Some(death) = manner.death {
            command.args(["--die-at", &death.to_string()]);
        }
        if let Some(Defect::Late(delay)) = manner.defect {
            command.args(["--late", &delay.as_millis().to_string()]);
        }
        // It ends when its standard input does: with us at the latest.
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the node starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("it can be read");
        let host = line.trim_end().strip_prefix("listening ").map(str::to_owned);
        let mut node = Self { child, host: host.clone().unwrap_or_default() };
        if host.is_none() {
            node.kill();
            panic!("the node does not listen: {line:?}");
        }
        node
    }

    /// Host and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.host.clone()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it ends by itself within this time.
    pub fn dies_within(&mut self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        loop {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            if Instant::now() > deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({})", self.host)
    }
}
