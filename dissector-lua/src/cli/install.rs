//! `dissector-lua install`: the dissector where Wireshark finds it.

use std::error::Error;
use std::io::{self, Write};

use dissector_lua::install::folders::System;
use dissector_lua::install::{Action, Folders, Mode, Step, What, install, profile, uninstall};

/// Put the dissector where Wireshark finds it
///
/// That is the personal Lua plugins folder, "Personal Lua Plugins" under Help > About Wireshark > Folders. A different
/// htcpcp.lua that is there is kept as htcpcp.lua.old.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dissector-lua install --dry-run              what would be done
  dissector-lua install --profile              the dissector, and a profile for the lab
  tshark -G protocols | grep -i htcpcp         does Wireshark know it now?
  dissector-lua install --uninstall --profile  take both away

Environment: WIRESHARK_CONFIG_DIR, XDG_CONFIG_HOME and HOME, or WIRESHARK_APPDATA and APPDATA on Windows, say where
the folders are, as they do for Wireshark.

Exit status: 0 done; 1 done, but a file needs attention; 2 not done.")]
pub struct Args {
    /// Also add the profile HTCPCP: columns, colours, filter buttons
    #[arg(long)]
    profile: bool,

    /// Remove what was installed
    #[arg(long)]
    uninstall: bool,

    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Installs or removes, and says so.
pub fn run(args: &Args) -> Result<u8, Box<dyn Error>> {
    let folders = Folders::find(System::THIS, |name| std::env::var_os(name), |path| path.exists())?;
    let what = if args.profile { What::DissectorAndProfile } else { What::Dissector };
    let mode = if args.dry_run { Mode::Dry } else { Mode::Real };
    let steps = if args.uninstall { uninstall(&folders, what, mode)? } else { install(&folders, what, mode)? };
    let mut out = io::stdout().lock();
    for step in &steps {
        writeln!(out, "{}", sentence(step, mode))?;
    }
    if mode == Mode::Real {
        let changed = steps.iter().any(|step| !matches!(step.action, Action::Keep | Action::Absent | Action::Leave | Action::Rival));
        if changed {
            writeln!(out, "\nIf Wireshark is running: Analyze > Reload Lua Plugins (Ctrl+Shift+L, on macOS Cmd+Shift+L).")?;
        }
        if args.profile && !args.uninstall {
            writeln!(out, "The profile: Edit > Configuration Profiles > {}, or tshark -C {}", profile::NAME, profile::NAME)?;
        }
        if !args.uninstall {
            writeln!(out, "To check: tshark -G protocols | grep -i htcpcp")?;
        }
    }
    Ok(if steps.iter().any(Step::is_finding) { super::FINDINGS } else { super::DONE })
}

fn sentence(step: &Step, mode: Mode) -> String {
    let path = step.path.display();
    let [wrote, replaced, removed] = match mode {
        Mode::Real => ["wrote", "replaced", "removed"],
        Mode::Dry => ["would write", "would replace", "would remove"],
    };
    match &step.action {
        Action::Create => format!("{wrote} {path}"),
        Action::Keep => format!("already there: {path}"),
        Action::Replace(old) => format!("{replaced} {path}, which was different; the old one is kept as {}", old.display()),
        Action::Remove => format!("{removed} {path}"),
        Action::Absent => format!("not there: {path}"),
        Action::Leave => format!("left in place, since it is not as we write it: {path}"),
        Action::Rival => format!("attention: {path} declares HTCPCP, too, and Wireshark loads only one of the two; remove it"),
    }
}
