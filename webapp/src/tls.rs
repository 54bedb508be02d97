//! TLS in front: certificates come in, or are made, and an acceptor of streams goes out.
//!
//! The keys of each connection are written to the file that `SSLKEYLOGFILE` names, as browsers do, so that Wireshark
//! can decrypt one's own capture.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, KeyLogFile, ServerConfig};
use tokio_rustls::server::TlsStream;

/// Names that a certificate of our own is for: those of this machine, and nobody else's.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Makes encrypted streams of accepted ones.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

impl Acceptor {
    /// With a certificate made now and signed by itself: browsers warn of it once.
    pub fn self_signed() -> Result<Acceptor, Error> {
        let made = rcgen::generate_simple_self_signed(NAMES.map(str::to_owned)).map_err(Error::Make)?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        Acceptor::new(vec![made.cert.der().clone()], key.into())
    }

    /// With the certificates and the key of these PEM files.
    pub fn from_files(certificates: &Path, key: &Path) -> Result<Acceptor, Error> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Read { path, source }
        };
        let chain = CertificateDer::pem_file_iter(certificates).and_then(Iterator::collect).map_err(unreadable(certificates))?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
        Acceptor::new(chain, key)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Acceptor, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = config.and_then(|config| config.with_no_client_auth().with_single_cert(chain, key)).map_err(Error::Use)?;
        config.key_log = Arc::new(KeyLogFile::new());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Acceptor(TlsAcceptor::from(Arc::new(config))))
    }

    /// Shakes hands.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.0.accept(stream).await
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Acceptor").finish_non_exhaustive()
    }
}

/// Why there is no TLS.
#[derive(Debug)]
pub enum Error {
    /// No certificate could be made.
    Make(rcgen::Error),
    /// A file could not be read.
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// Certificate and key cannot be used.
    Use(rustls::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Make(_) => f.write_str("cannot make a certificate"),
            Error::Read { path, .. } => write!(f, "cannot read {}", path.display()),
            Error::Use(_) => f.write_str("cannot use the certificate and its key"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Make(source) => Some(source),
            Error::Read { source, .. } => Some(source),
            Error::Use(source) => Some(source),
        }
    }
}
