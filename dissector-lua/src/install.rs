//! Putting the dissector and its profile where Wireshark looks for them, and taking them away again.
//!
//! In: the folders, and what is wanted. Out: a [`Step`] for each file, saying what was done or, in a dry run, what
//! would be.
//! Left to others: which folders those are ([`folders`]), what a profile holds ([`profile`]), and saying it to people.

pub mod folders;
pub mod profile;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use folders::Folders;

use crate::generate;

/// The name of the dissector in the plugins folder.
pub const FILE_NAME: &str = "htcpcp.lua";

/// What is put in place or taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The dissector alone.
    Dissector,
    /// The dissector and the profile HTCPCP.
    DissectorAndProfile,
}

/// Whether the disk is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is.
    Real,
    /// It is only looked at.
    Dry,
}

/// What happens to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It was not there.
    Create,
    /// It is there already, as it should be.
    Keep,
    /// A different one was there, which is kept under this name.
    Replace(PathBuf),
    /// It was ours.
    Remove,
    /// There is nothing to remove.
    Absent,
    /// It is not as we write it: somebody has changed it, or it is not ours. It stays.
    Leave,
    /// It declares a protocol of the same name, so that Wireshark will load only one of the two.
    Rival,
}

/// A file, and what happens to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The file.
    pub path: PathBuf,
    /// What happens to it.
    pub action: Action,
}

impl Step {
    /// Whether somebody should look at it.
    pub fn is_finding(&self) -> bool {
        matches!(self.action, Action::Leave | Action::Rival)
    }
}

/// A file could not be read, written or removed.
#[derive(Debug)]
pub struct Error {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Error {
    fn of(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |source| Error { doing, path: path.to_owned(), source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}", self.doing, self.path.display())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Puts the files in place.
///
/// A different file of the same name is renamed to end in `.old`, and other dissectors of the protocol are named.
pub fn install(folders: &Folders, what: What, mode: Mode) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    for (path, content) in files(folders, what) {
        let action = match read(&path)? {
            None => Action::Create,
            Some(there) if there == content.as_bytes() => Action::Keep,
            Some(_) => Action::Replace(old_name(&path)),
        };
        if mode == Mode::Real {
            if let Action::Replace(old) = &action {
                fs::rename(&path, old).map_err(Error::of("rename", &path))?;
            }
            if action != Action::Keep {
                write(&path, &content)?;
            }
        }
        steps.push(Step { path, action });
    }
    steps.extend(rivals(&folders.plugins)?.into_iter().map(|path| Step { path, action: Action::Rival }));
    Ok(steps)
}

/// Takes the files away, if they are ours: any version of the dissector, and a profile's files as we write them.
pub fn uninstall(folders: &Folders, what: What, mode: Mode) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    for (path, content) in files(folders, what) {
        let is_dissector = path.extension().is_some_and(|extension| extension == "lua");
        let action = match read(&path)? {
            None => Action::Absent,
            Some(there) if there == content.as_bytes() => Action::Remove,
            Some(there) if is_dissector && there.starts_with(generate::BANNER.as_bytes()) => Action::Remove,
            Some(_) => Action::Leave,
        };
        if mode == Mode::Real && action == Action::Remove {
            fs::remove_file(&path).map_err(Error::of("remove", &path))?;
        }
        steps.push(Step { path, action });
    }
    if what == What::DissectorAndProfile && mode == Mode::Real {
        // Wireshark lists every folder as a profile; one that still holds something stays.
        let _ = fs::remove_dir(folders.profile());
    }
    Ok(steps)
}

/// Where each file belongs and what is in it.
fn files(folders: &Folders, what: What) -> Vec<(PathBuf, String)> {
    let mut files = vec![(folders.plugins.join(FILE_NAME), generate::dissector())];
    if what == What::DissectorAndProfile {
        files.extend(profile::files().map(|(name, content)| (folders.profile().join(name), content)));
    }
    files
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::of("read", path)(error)),
    }
}

fn write(path: &Path, content: &str) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::of("make the folder", folder))?;
    }
    fs::write(path, content).map_err(Error::of("write", path))
}

/// `htcpcp.lua.old`, which Wireshark does not load.
fn old_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".old");
    name.into()
}

/// Other Lua files of the folder that declare the protocol, such as the lab's first dissector.
fn rivals(plugins: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match fs::read_dir(plugins) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::of("list", plugins)(error)),
    };
    let mut rivals = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::of("list", plugins))?.path();
        let is_lua = path.extension().is_some_and(|extension| extension == "lua");
        // What cannot be read cannot be loaded, either.
        if is_lua && path.file_name() != Some(FILE_NAME.as_ref()) && fs::read(&path).is_ok_and(|lua| declares_htcpcp(&lua)) {
            rivals.push(path);
        }
    }
    rivals.sort();
    Ok(rivals)
}

/// Whether there is a `Proto("htcpcp"`, in any case, with either quote, spaces or `.new` between.
fn declares_htcpcp(lua: &[u8]) -> bool {
    let text: String = String::from_utf8_lossy(lua).to_lowercase().split_whitespace().collect();
    ["proto(", "proto.new("].iter().any(|call| ["\"", "'"].iter().any(|quote| text.contains(&format!("{call}{quote}htcpcp{quote}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Home {
        folder: tempfile::TempDir,
        folders: Folders,
    }

    fn home() -> Home {
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders { plugins: folder.path().join("lib/plugins"), config: folder.path().join("config") };
        Home { folder, folders }
    }

    #[track_caller]
    fn check(steps: Result<Vec<Step>, Error>, expected: &[(&str, Action)]) {
        let steps = steps.unwrap();
        let seen: Vec<_> = steps.iter().map(|step| (step.path.file_name().unwrap().to_str().unwrap(), step.action.clone())).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_was_installed_is_kept_and_removed() {
        let home = home();
        let both = What::DissectorAndProfile;
        let every = |action: Action| [FILE_NAME, "preferences", "colorfilters", "dfilter_buttons"].map(|name| (name, action.clone()));
        check(install(&home.folders, both, Mode::Dry), &every(Action::Create));
        assert!(!home.folders.plugins.exists(), "a dry run writes nothing");
        check(install(&home.folders, both, Mode::Real), &every(Action::Create));
        check(install(&home.folders, both, Mode::Real), &every(Action::Keep));
        check(uninstall(&home.folders, both, Mode::Dry), &every(Action::Remove));
        assert!(home.folders.profile().exists(), "a dry run removes nothing");
        check(uninstall(&home.folders, both, Mode::Real), &every(Action::Remove));
        assert!(!home.folders.profile().exists());
        check(uninstall(&home.folders, both, Mode::Real), &every(Action::Absent));
    }

    #[test]
    fn a_different_file_is_kept_under_another_name() {
        let home = home();
        let path = home.folders.plugins.join(FILE_NAME);
        write(&path, "-- mine").unwrap();
        let old = home.folders.plugins.join("htcpcp.lua.old");
        check(uninstall(&home.folders, What::Dissector, Mode::Real), &[(FILE_NAME, Action::Leave)]);
        check(install(&home.folders, What::Dissector, Mode::Real), &[(FILE_NAME, Action::Replace(old.clone()))]);
        assert_eq!(fs::read_to_string(old).unwrap(), "-- mine");
        assert_eq!(fs::read_to_string(&path).unwrap(), generate::dissector());
    }

    #[test]
    fn an_earlier_version_is_ours_to_remove() {
        let home = home();
        write(&home.folders.plugins.join(FILE_NAME), &format!("{} 0.0.1.\n", generate::BANNER)).unwrap();
        check(uninstall(&home.folders, What::Dissector, Mode::Real), &[(FILE_NAME, Action::Remove)]);
    }

    #[test]
    fn another_dissector_of_the_protocol_is_named() {
        let home = home();
        write(&home.folders.plugins.join("lab.lua"), "local p = Proto ( 'HTCPCP', \"Coffee\")").unwrap();
        write(&home.folders.plugins.join("other.lua"), "-- like htcpcp\nlocal p = Proto(\"tea\", \"Tea\")").unwrap();
        check(install(&home.folders, What::Dissector, Mode::Dry), &[(FILE_NAME, Action::Create), ("lab.lua", Action::Rival)]);
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let home = home();
        fs::write(home.folder.path().join("lib"), "a file, no folder").unwrap();
        let error = install(&home.folders, What::Dissector, Mode::Real).unwrap_err();
        assert!(error.to_string().contains("plugins"), "{error}");
    }
}
