//! How a token reaches the disk: room for it is taken before anything is sent, and once the server
//! has committed it, it is not lost for want of the place that was asked for.

#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, IsTerminal, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Failure, Status};

/// The room taken beforehand, in octets: more than any token needs.
const ROOM: usize = 64 << 10;

/// A temporary file, readable for its owner only, with room for a token. Dropped before it is used,
/// it is removed.
#[derive(Debug)]
pub(crate) struct Reservation {
    file: NamedTempFile,
    force: bool,
}

/// Where a committed token is.
#[derive(Debug)]
pub(crate) enum Saved {
    /// Where it was asked for.
    There(PathBuf),
    /// In another file.
    Elsewhere { path: PathBuf, why: String },
    /// On the terminal, and nowhere else.
    Shown { why: String },
    /// Nowhere.
    Lost { why: String },
}

impl Reservation {
    /// Takes room beside `output`, or in the current folder for a file that is not named yet.
    pub(crate) fn make(output: Option<&Path>, force: bool) -> Result<Self, Failure> {
        Self::make_with(output, force, ROOM)
    }

    /// Takes at least so much room.
    pub(crate) fn make_with(
        output: Option<&Path>,
        force: bool,
        octets: usize,
    ) -> Result<Self, Failure> {
        let room = octets.max(ROOM);
        if let Some(output) = output {
            check_target(output, force)?;
        }
        let folder = output.map_or_else(|| Path::new("."), folder_of);
        let name = output.and_then(Path::file_name).unwrap_or_else(|| OsStr::new("ctkip"));
        let file = temporary(folder, name).and_then(|mut file| {
            take(file.as_file_mut(), room)?;
            Ok(file)
        });
        let file = file.map_err(|error| {
            Failure::new(
                Status::Usage,
                "no-room",
                format!("cannot make a file of {room} octets in {}: {error}", folder.display()),
                "Nothing was sent. Choose another place with --output.",
            )
        })?;
        Ok(Self { file, force })
    }

    /// Where the temporary file is.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Saves a committed token at `target`, or else wherever it can be.
    pub(crate) fn save(self, content: &[u8], target: &Path) -> Saved {
        let why = match self.fill(content) {
            Ok(filled) => match filled.publish(target) {
                Ok(()) => return Saved::There(target.to_owned()),
                Err((filled, error)) => {
                    let why = format!("{} cannot be made: {error}", target.display());
                    match filled.leave() {
                        Some(path) => return Saved::Elsewhere { path, why },
                        None => why,
                    }
                }
            },
            Err(error) => format!("the file for it cannot be written: {error}"),
        };
        elsewhere(content, target, why)
    }

    /// Saves a committed token that cannot be had in the form asked for: it stays in the temporary
    /// file.
    pub(crate) fn save_aside(self, content: &[u8], why: String) -> Saved {
        let name = self.path().to_owned();
        match self.fill(content).map(Filled::leave) {
            Ok(Some(path)) => Saved::Elsewhere { path, why },
            _ => elsewhere(content, &name, why),
        }
    }

    fn fill(mut self, content: &[u8]) -> io::Result<Filled> {
        self.file.rewind()?;
        self.file.write_all(content)?;
        self.file.as_file().set_len(u64::try_from(content.len()).unwrap_or(u64::MAX))?;
        self.file.as_file().sync_all()?;
        Ok(Filled { file: self.file, force: self.force })
    }
}

/// A temporary file that holds the token. From here on it is not removed, whatever happens.
struct Filled {
    file: NamedTempFile,
    force: bool,
}

impl Filled {
    fn publish(self, target: &Path) -> Result<(), (Self, io::Error)> {
        let force = self.force;
        let published = match force {
            true => self.file.persist(target),
            false => self.file.persist_noclobber(target),
        };
        match published {
            Ok(_) => {
                sync_folder(folder_of(target));
                Ok(())
            }
            Err(failed) => Err((Self { file: failed.file, force }, failed.error)),
        }
    }

    /// Leaves the temporary file where it is, if it still is there.
    fn leave(self) -> Option<PathBuf> {
        let (file, path) = self.file.keep().ok()?;
        if !is_same(&file, &path) {
            return None;
        }
        sync_folder(folder_of(&path));
        Some(path)
    }
}

/// Replaces a file in one step, with one that only its owner can read. A symbolic link stays one.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    put(&path, content, true)
}

/// Writes a file that only its owner can read; one that is there is replaced with `force` only.
pub(crate) fn write(path: &Path, content: &[u8], force: bool) -> Result<(), Failure> {
    check_target(path, force)?;
    put(path, content, force).map_err(|error| Failure::file("write", path, &error))
}

fn put(path: &Path, content: &[u8], force: bool) -> io::Result<()> {
    let mut file = temporary(folder_of(path), path.file_name().unwrap_or_default())?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    match force {
        true => file.persist(path)?,
        false => file.persist_noclobber(path)?,
    };
    sync_folder(folder_of(path));
    Ok(())
}

/// Refuses what a file cannot be made over.
pub(crate) fn check_target(path: &Path, force: bool) -> Result<(), Failure> {
    let name = path.display();
    let refuse =
        |what: String, next: &str| Err(Failure::new(Status::Usage, "file-exists", what, next));
    if path.file_name().is_none() || path == Path::new("-") {
        return refuse(format!("{name} cannot be the name of a file"), "Name a file to save to.");
    }
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => refuse(format!("{name} is a folder"), "Name a file in it."),
        Ok(found) if !found.is_file() => {
            refuse(format!("{name} is no ordinary file"), "Name an ordinary file.")
        }
        Ok(_) if !force => refuse(
            format!("{name} exists already"),
            "Name another file with --output, or replace this one with --force.",
        ),
        _ => Ok(()),
    }
}

/// Saves what could not be written where it was asked for, in a file of about this name.
pub(crate) fn rescue(content: &[u8], name: &Path, why: String) -> Saved {
    elsewhere(content, name, why)
}

/// The recovery folder, then the folder for temporary files, then the terminal.
fn elsewhere(content: &[u8], target: &Path, mut why: String) -> Saved {
    let name = target.file_name().unwrap_or_else(|| OsStr::new("ctkip"));
    for folder in [recovery_folder(), Some(std::env::temp_dir())].into_iter().flatten() {
        match put_into(&folder, name, content) {
            Ok(path) => return Saved::Elsewhere { path, why },
            Err(error) => why.push_str(&format!("; nor in {}: {error}", folder.display())),
        }
    }
    match show(content) {
        Ok(()) => Saved::Shown { why },
        Err(error) => Saved::Lost { why: format!("{why}; nor on a terminal: {error}") },
    }
}

fn recovery_folder() -> Option<PathBuf> {
    let absolute =
        |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state =
        absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("ctkip"))
}

fn put_into(folder: &Path, name: &OsStr, content: &[u8]) -> io::Result<PathBuf> {
    make_private_folder(folder)?;
    let mut file = temporary(folder, name)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    let (_, path) = file.keep()?;
    sync_folder(folder);
    Ok(path)
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Shows it once, to a person only.
fn show(content: &[u8]) -> io::Result<()> {
    let mut terminal: Box<dyn Write> = if io::stderr().is_terminal() {
        Box::new(io::stderr().lock())
    } else if io::stdout().is_terminal() {
        Box::new(io::stdout().lock())
    } else {
        return Err(io::Error::other("there is none"));
    };
    terminal
        .write_all(b"What follows could not be saved. Copy it now; it is shown only once:\n\n")?;
    terminal.write_all(content)?;
    terminal.write_all(b"\n")?;
    terminal.flush()
}

/// Takes so much room on the disk: a file system that can be asked for it has it at once, and any
/// other by the time it is written.
fn take(file: &mut File, octets: usize) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::Errno;
        let length = u64::try_from(octets).unwrap_or(u64::MAX);
        match fallocate(&*file, FallocateFlags::KEEP_SIZE, 0, length) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
            taken => return Ok(taken?),
        }
    }
    fill_up(file, octets)
}

/// Takes room by writing, for a file system that cannot be asked.
fn fill_up(file: &mut File, octets: usize) -> io::Result<()> {
    file.write_all(&vec![0; octets])?;
    file.sync_all()
}

/// `NAME.xxxxxx.part`, for its owner only.
fn temporary(folder: &Path, name: &OsStr) -> io::Result<NamedTempFile> {
    let mut prefix = OsString::from(name);
    prefix.push(".");
    tempfile::Builder::new().prefix(&prefix).suffix(".part").tempfile_in(folder)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Makes a new name durable. Where folders cannot be synced, that is as good as it gets.
fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |data: io::Result<fs::Metadata>| data.ok().map(|data| (data.dev(), data.ino()));
    let open = id(file.metadata());
    open.is_some() && open == id(fs::symlink_metadata(path))
}

#[cfg(not(unix))]
fn is_same(_: &File, path: &Path) -> bool {
    path.exists()
}
