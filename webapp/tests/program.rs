//! The program: arguments in; standard output, standard error and exit code out. And TLS, which it sets up.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::Arc;

use common::{PATIENCE, Pot, connect, read_response};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, ClientConnection, RootCertStore, StreamOwned};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_webapp"));
    command.args(arguments).env("NO_COLOR", "1").env_remove("SSLKEYLOGFILE").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the program starts")
}

/// A running web app on a port of its own.
struct Running {
    child: Child,
    scheme: String,
    address: SocketAddr,
    stderr: ChildStderr,
}

impl Running {
    fn start(command: &mut Command) -> Running {
        let mut child =
            command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("it says where it listens");
        let (scheme, address) = line
            .trim_end()
            .strip_prefix("Listening on ")
            .and_then(|url| url.strip_suffix('/')?.split_once("://"))
            .unwrap_or_else(|| panic!("`{line}` says where"));
        let (scheme, address) = (scheme.to_owned(), address.parse().expect("it is an address"));
        let stderr = child.stderr.take().expect("it is piped");
        Running { child, scheme, address, stderr }
    }

    /// Sends a signal, and waits for the end. Returns the exit code and standard error.
    #[cfg(unix)]
    fn end_by(mut self, signal: &str) -> (Option<i32>, String) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
        let code = self.child.wait().expect("it ends").code();
        let mut log = String::new();
        self.stderr.read_to_string(&mut log).expect("it is UTF-8");
        (code, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, perhaps.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn it_says_where_it_listens_and_ends_at_a_signal() {
    let pot = Pot::start();
    for signal in ["-INT", "-TERM"] {
        let web = Running::start(&mut command(&["--pot", &pot.address().to_string()]));
        assert_eq!(web.scheme, "http");
        let mut stream = connect(web.address);
        write!(stream, "GET / HTTP/1.1\r\nHost: ducky\r\n\r\n").unwrap();
        assert_eq!(read_response(&mut stream, false).status, 200);
        let (code, log) = web.end_by(signal);
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("GET / → 200"), "{log}");
    }
}

#[cfg(unix)]
#[test]
fn quietly_it_logs_only_what_goes_wrong() {
    let pot = Pot::start();
    let web = Running::start(&mut command(&["-q", "--pot", &pot.address().to_string()]));
    let mut stream = connect(web.address);
    write!(stream, "GET / HTTP/1.1\r\nHost: ducky\r\n\r\n").unwrap();
    assert_eq!(read_response(&mut stream, false).status, 200);
    assert_eq!(web.end_by("-TERM"), (Some(0), String::new()));
}

#[test]
fn what_cannot_be_done_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (arguments, says) in [
        (&["--listen", &*taken][..], "cannot listen on 127.0.0.1:"),
        (&["--https", "--cert", "no.pem", "--key", "no.pem"], "cannot read no.pem"),
        (&["--cert", "no.pem"], "required"),
        (&["--listen", "ducky"], "invalid value"),
    ] {
        let output = run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(says), "{arguments:?}: {error}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn completions_and_the_manual_are_printed() {
    for (arguments, says) in [(&["completions", "bash"][..], "_webapp()"), (&["man"], ".TH webapp"), (&["--help"], "--https")] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(says), "{arguments:?}");
    }
}

/// Writes a certificate for 127.0.0.1 and its key into `folder`.
fn write_certificate(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("it can be made");
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).expect("it is written");
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("it is written");
    made.cert.der().clone()
}

fn connect_tls(address: SocketAddr, root: CertificateDer<'static>) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(root).expect("it is a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("there are some");
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::from(address.ip());
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).expect("it is configured"), connect(address))
}

#[test]
fn https_has_the_certificate_it_is_given_and_logs_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let root = write_certificate(folder.path());
    let pot = Pot::start();
    let mut command = command(&["--https", "--cert", "cert.pem", "--key", "key.pem", "--pot", &pot.address().to_string()]);
    let web = Running::start(command.current_dir(folder.path()).env("SSLKEYLOGFILE", "keys.txt"));
    assert_eq!(web.scheme, "https");

    let mut stream = connect_tls(web.address, root);
    for target in ["/", "/assets/styles.css"] {
        write!(stream, "GET {target} HTTP/1.1\r\nHost: ducky\r\n\r\n").unwrap();
        assert_eq!(read_response(&mut stream, false).status, 200);
    }
    let keys = std::fs::read_to_string(folder.path().join("keys.txt")).expect("keys are written");
    assert!(keys.contains("SERVER_TRAFFIC_SECRET_0 "), "{keys}");
}

#[test]
fn https_makes_a_certificate_and_takes_nothing_else() {
    let web = Running::start(&mut command(&["--https", "--pot", "127.0.0.1:1"]));
    // It is signed by itself, so that nobody trusts it who has not been told to.
    let stranger = write_certificate(tempfile::tempdir().unwrap().path());
    let error = connect_tls(web.address, stranger).write(b"GET / HTTP/1.1\r\n\r\n").expect_err("it is not trusted");
    assert!(error.to_string().contains("invalid peer certificate"), "{error}");

    let mut plain = connect(web.address);
    plain.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(plain, "GET / HTTP/1.1\r\nHost: ducky\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{}", answer.escape_ascii());
}
