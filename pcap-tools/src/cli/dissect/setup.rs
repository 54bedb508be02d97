//! A host with scripts and settings, made ready for the first frame.

use std::path::Path;

use dissector_lua::host::field::Kind;
use dissector_lua::host::{Host, Options};

use super::Args;
use super::worker::Watch;

/// The protocol of the dissector that is built in.
const BUILT_IN: &str = "htcpcp";

/// A host that is ready.
pub(super) struct Setup {
    pub host: Host,
    /// The protocols that the scripts declared; those of the built-in one if there is no other.
    pub own: Vec<String>,
}

impl Setup {
    /// Loads the scripts and makes the settings.
    ///
    /// Errors: which script or setting, and what is wrong with it.
    pub fn make(args: &Args, watch: &Watch) -> Result<Self, String> {
        let read = |path: &Path| std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()));
        let scripts: Result<Vec<_>, _> = args.scripts.iter().map(|path| Ok((path.to_string_lossy().into_owned(), read(path)?))).collect();
        let scripts: Vec<(String, Vec<u8>)> = scripts.map_err(|error: String| error)?;
        let built_in = ("htcpcp.lua".to_owned(), dissector_lua::HTCPCP.as_bytes().to_vec());
        let both: Vec<_> = std::iter::once(built_in).chain(scripts.iter().cloned()).collect();
        let Setup { mut host, own } = load(args, watch, &both, both.len() - scripts.len()).or_else(|error| {
            // Wireshark, too, takes only one of two dissectors of one protocol.
            match load(args, watch, &scripts, 0) {
                Ok(alone) if alone.own.iter().any(|protocol| protocol == BUILT_IN) => Ok(alone),
                _ => Err(error),
            }
        })?;
        for preference in &args.preferences {
            let (name, value) = preference.split_once(':').ok_or_else(|| format!("-o {preference}: NAME:VALUE was expected"))?;
            host.set_preference(name, value.trim_start()).map_err(|error| format!("-o {preference}: {error}"))?;
        }
        for rule in &args.decode_as {
            decode_as(&host, rule).map_err(|error| format!("-d {rule}: {error}"))?;
        }
        for statistic in &args.statistics {
            host.run_statistic(statistic).map_err(|error| format!("-z {statistic}: {error}"))?;
        }
        Ok(Self { host, own })
    }
}

/// A host with these scripts, of which the first `others` are nobody's own if there are more.
fn load(args: &Args, watch: &Watch, scripts: &[(String, Vec<u8>)], others: usize) -> Result<Setup, String> {
    let options = Options { memory_limit: (args.memory_limit as usize) << 20, instruction_limit: args.instruction_limit };
    let mut host = Host::new(&options).map_err(|error| error.to_string())?;
    watch.observe(&host, scripts.iter().map(|(name, _)| name.clone()).collect());
    for (name, source) in scripts {
        // What `require` finds, and nothing else: scripts read no files.
        host.provide(&Path::new(name).file_stem().unwrap_or_default().to_string_lossy(), source);
    }
    let count = |host: &Host| host.core().registry.borrow().protocols().len();
    let mut first = count(&host);
    for (at, (name, source)) in scripts.iter().enumerate() {
        if at == others {
            first = count(&host);
        }
        host.load(name, source).map_err(|fault| fault.message)?;
    }
    let own = host.core().registry.borrow().protocols()[first..].iter().map(|protocol| protocol.abbreviation.to_string()).collect();
    Ok(Setup { host, own })
}

/// `tcp.port==8080,htcpcp`, with a range of numbers (`8080-8090`) or so many from one on (`8080:3`).
fn decode_as(host: &Host, rule: &str) -> Result<(), String> {
    let parts = rule.split_once("==").and_then(|(table, rest)| Some((table, rest.split_once(',')?)));
    let (table, (key, protocol)) = parts.ok_or("TABLE==VALUE,PROTOCOL was expected, such as tcp.port==8080,htcpcp")?;
    let mut tables = host.core().tables.borrow_mut();
    let handle = tables.handle_named(protocol).ok_or_else(|| format!("no dissector is called \"{protocol}\""))?;
    let table = tables.by_name.get_mut(table).ok_or_else(|| format!("no table of dissectors is called \"{table}\""))?;
    if matches!(table.kind, Kind::String) {
        table.set_text(key, Some(handle));
        return Ok(());
    }
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| format!("\"{text}\" is not a number"));
    let (first, last) = match (key.split_once('-'), key.split_once(':')) {
        (Some((first, last)), _) => (number(first)?, number(last)?),
        (None, Some((first, count))) => (number(first)?, number(first)?.saturating_add(number(count)?.saturating_sub(1))),
        (None, None) => (number(key)?, number(key)?),
    };
    if last.saturating_sub(first) > u32::from(u16::MAX) {
        return Err(format!("\"{key}\" are too many"));
    }
    (first..=last).for_each(|key| table.set_number(key.into(), Some(handle)));
    Ok(())
}
