//! Where Wireshark keeps what belongs to one user.
//!
//! In: the system and its environment variables, as values. Out: paths; nothing is created.
//! Source: Wireshark User's Guide, appendix B "Files and Folders"; a test asks tshark for the same (`-G folders`).

use std::ffi::OsString;
use std::path::PathBuf;

/// A family of systems that keep such files alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux, macOS and other Unix systems.
    Unix,
    /// Windows.
    Windows,
}

impl System {
    /// The one that this program was built for.
    pub const THIS: System = if cfg!(windows) { System::Windows } else { System::Unix };
}

/// The two personal folders that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// "Personal Lua Plugins".
    pub plugins: PathBuf,
    /// "Personal configuration"; profiles are in there.
    pub config: PathBuf,
}

/// No environment variable says where the user's files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoHome(&'static str);

impl std::fmt::Display for NoHome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is not set, so that Wireshark's folders are not known", self.0)
    }
}

impl std::error::Error for NoHome {}

impl Folders {
    /// The folders on `system` with these environment variables; an empty variable counts as not set.
    ///
    /// `exists` is asked which of Unix's two places of the configuration is in use.
    pub fn find(system: System, variable: impl Fn(&str) -> Option<OsString>, exists: impl Fn(&PathBuf) -> bool) -> Result<Folders, NoHome> {
        let folder = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let chosen = folder("WIRESHARK_CONFIG_DIR");
        match system {
            System::Windows => {
                let config = match chosen.or_else(|| folder("WIRESHARK_APPDATA")) {
                    Some(config) => config,
                    None => folder("APPDATA").ok_or(NoHome("APPDATA"))?.join("Wireshark"),
                };
                Ok(Folders { plugins: config.join("plugins"), config })
            }
            System::Unix => {
                let home = folder("HOME").ok_or(NoHome("HOME"))?;
                let today = folder("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")).join("wireshark");
                let once = home.join(".wireshark");
                let default = if !exists(&today) && exists(&once) { once } else { today };
                Ok(Folders { plugins: home.join(".local/lib/wireshark/plugins"), config: chosen.unwrap_or(default) })
            }
        }
    }

    /// The folder of our profile.
    pub fn profile(&self) -> PathBuf {
        self.config.join("profiles").join(super::profile::NAME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `variables`: `NAME=value` with spaces between; `there`: the folders that exist.
    #[track_caller]
    fn check(system: System, variables: &str, there: &[&str], expected: Result<(&str, &str), NoHome>) {
        let variable = |name: &str| {
            variables.split(' ').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value.into())
        };
        let found = Folders::find(system, variable, |path| there.iter().any(|folder| PathBuf::from(folder) == *path));
        assert_eq!(found, expected.map(|(plugins, config)| Folders { plugins: plugins.into(), config: config.into() }), "{variables}");
    }

    #[test]
    fn unix_has_its_configuration_in_one_of_four_places() {
        let plugins = "/h/.local/lib/wireshark/plugins";
        check(System::Unix, "HOME=/h", &[], Ok((plugins, "/h/.config/wireshark")));
        check(System::Unix, "HOME=/h XDG_CONFIG_HOME=/x", &[], Ok((plugins, "/x/wireshark")));
        check(System::Unix, "HOME=/h XDG_CONFIG_HOME=", &[], Ok((plugins, "/h/.config/wireshark")));
        check(System::Unix, "HOME=/h XDG_CONFIG_HOME=/x WIRESHARK_CONFIG_DIR=/w", &[], Ok((plugins, "/w")));
        check(System::Unix, "HOME=/h", &["/h/.wireshark"], Ok((plugins, "/h/.wireshark")));
        check(System::Unix, "HOME=/h", &["/h/.wireshark", "/h/.config/wireshark"], Ok((plugins, "/h/.config/wireshark")));
        check(System::Unix, "", &[], Err(NoHome("HOME")));
    }

    #[test]
    #[cfg(unix)]
    fn windows_has_both_in_one_place() {
        check(System::Windows, "APPDATA=/r", &[], Ok(("/r/Wireshark/plugins", "/r/Wireshark")));
        check(System::Windows, "APPDATA=/r WIRESHARK_APPDATA=/a", &[], Ok(("/a/plugins", "/a")));
        check(System::Windows, "APPDATA=/r WIRESHARK_CONFIG_DIR=/w", &[], Ok(("/w/plugins", "/w")));
        check(System::Windows, "HOME=/h", &[], Err(NoHome("APPDATA")));
    }
}
