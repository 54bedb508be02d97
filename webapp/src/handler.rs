//! One exchange with a browser: a request comes in, a response goes out. What the request means is told by `route`, what
//! becomes of it by the pot, and how that looks by `page`.

use askama::Template;
use bytes::Bytes;
use htcpcp::conn::Fault;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use jiff::Timestamp;

use crate::page::{Beans, Home, LogPage, Problem};
use crate::pot::{Answer, Ask, Error, Pot};
use crate::record::{self, Brew, Log};
use crate::route::{Route, Wrong};

/// How many brews a page of the log has.
const LOG_LEN: u32 = 20;

/// On every response, unless it says otherwise. The Referer stays within this website, where the lab looks for it.
const COMMON: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// The website.
#[derive(Clone, Debug)]
pub struct Site {
    /// Whom it asks.
    pub pot: Pot,
    /// When the program was started: its files have not changed since.
    pub started: Timestamp,
}

impl Site {
    /// Answers a request, or says that there was none: `fault`. Its body means nothing here.
    pub async fn answer<B>(&self, request: &Request<B>, fault: Option<Fault>) -> Response<Full<Bytes>> {
        let response = self.find(request.method(), request.uri(), request.headers(), fault).await;
        with_common(response.unwrap_or_else(|problem| html(problem.status, &*problem)))
    }

    /// Tells a browser that there is no place for it.
    pub fn turn_away(&self) -> Response<Full<Bytes>> {
        let problem = Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "It is crowded here",
            "All places at the counter are taken. Try again in a moment.",
        );
        let mut response = html(problem.status, &*problem);
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        with_common(response)
    }

    async fn find(
        &self,
        method: &Method,
        uri: &http::Uri,
        headers: &HeaderMap,
        fault: Option<Fault>,
    ) -> Result<Response<Full<Bytes>>, Box<Problem>> {
        if let Some(fault) = fault {
            return Err(Problem::new(fault.status(), "That was no request", format!("It ended in nothing: {fault}.")));
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Ok(not_allowed("This website is read, and its orders are links: GET is all it takes."));
        }
        match Route::find(uri.path(), uri.query())? {
            Route::Asset(asset) => Ok(asset.answer(headers, self.started)),
            Route::Home => self.home().await,
            Route::Beans => self.beans().await,
            Route::Log { before } => self.log(before).await,
            Route::Order(ask) if !ask.is_safe() && *method == Method::HEAD => Ok(not_allowed("A HEAD changes nothing, and this would.")),
            Route::Order(ask) => {
                if !ask.is_safe() {
                    refuse_strangers(headers)?;
                }
                self.ask(&ask).await?;
                Ok(found("/"))
            }
        }
    }

    async fn home(&self) -> Result<Response<Full<Bytes>>, Box<Problem>> {
        let answer = self.ask(&Ask::new("GET")).await?;
        let home = match self.understand(record::read::<Brew>(&answer.body))? {
            None => Home::idle(),
            Some(brew) => Home::brewing(brew, answer.date.ok_or_else(|| self.nonsense("its answer has no date"))?),
        };
        Ok(html(StatusCode::OK, &home))
    }

    async fn beans(&self) -> Result<Response<Full<Bytes>>, Box<Problem>> {
        let answer = self.ask(&Ask::new("PROPFIND")).await?;
        let bean = self.understand(record::read(&answer.body))?;
        Ok(html(StatusCode::OK, &Beans::new(bean)))
    }

    async fn log(&self, before: Option<u64>) -> Result<Response<Full<Bytes>>, Box<Problem>> {
        let answer = self.ask(&Ask::log(before, LOG_LEN)).await?;
        let log: Log = self.understand(serde_json::from_slice(&answer.body))?;
        Ok(html(StatusCode::OK, &LogPage::new(log, before)))
    }

    /// Asks the pot. Whatever is no success becomes the page.
    async fn ask(&self, ask: &Ask) -> Result<Answer, Box<Problem>> {
        let answer = self.pot.ask(ask).await.map_err(|error| {
            tracing::warn!("{ask}: {}", htcpcp::conn::chain(&error));
            self.no_answer(&error)
        })?;
        tracing::debug!("{ask} → {}", answer.status.as_u16());
        match answer.status {
            StatusCode::OK => Ok(answer),
            status if status.is_client_error() || status.is_server_error() => {
                Err(Problem::of_pot(status, &String::from_utf8_lossy(&answer.body)))
            }
            status => Err(self.nonsense(&format!("it answers {} to that", status.as_u16()))),
        }
    }

    fn understand<T>(&self, read: Result<T, serde_json::Error>) -> Result<T, Box<Problem>> {
        read.map_err(|error| self.nonsense(&error.to_string()))
    }

    fn no_answer(&self, error: &Error) -> Box<Problem> {
        let address = &self.pot.address;
        match error {
            Error::Unreachable(source) => {
                Problem::new(StatusCode::BAD_GATEWAY, "The pot is not there", format!("Nobody answers at {address}: {source}."))
                    .with_command(format!("cargo run --release -p pot -- --listen {address}"))
            }
            _ => self.nonsense(&htcpcp::conn::chain(error)),
        }
    }

    fn nonsense(&self, why: &str) -> Box<Problem> {
        Problem::new(
            StatusCode::BAD_GATEWAY,
            "That is not how a pot talks",
            format!("What answers at {} is not a pot, or not well: {why}. Is that its address, and nobody else’s?", self.pot.address),
        )
    }
}

impl From<Wrong> for Box<Problem> {
    fn from(wrong: Wrong) -> Box<Problem> {
        let text = wrong.to_string();
        match wrong {
            Wrong::NoPage => Problem::new(StatusCode::NOT_FOUND, "Nothing is brewing here", text),
            _ => Problem::new(StatusCode::BAD_REQUEST, "Nobody understands that order", text),
        }
    }
}

/// Orders are links, and a link can be anywhere: those of other websites are refused, and so are those that a browser
/// follows before anyone has clicked.
///
/// Source: Fetch Metadata Request Headers §2.4; Fetch §2.2.5 for `Sec-Purpose`.
fn refuse_strangers(headers: &HeaderMap) -> Result<(), Box<Problem>> {
    let is_ours = headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none");
    if !is_ours {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Not on someone else’s order",
            "Another website asked for this in your name. If you want it, order it here.",
        ));
    }
    if headers.contains_key("sec-purpose") {
        return Err(Problem::new(StatusCode::FORBIDDEN, "Not yet", "Nobody has clicked on this order."));
    }
    Ok(())
}

fn html(status: StatusCode, page: &impl Template) -> Response<Full<Bytes>> {
    let html = page.render().expect("templates are written to memory");
    let mut response = Response::new(Full::from(html));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

fn not_allowed(text: &str) -> Response<Full<Bytes>> {
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Not like that", text);
    let mut response = html(problem.status, &*problem);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

fn found(place: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(place));
    response
}

fn with_common(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    for (name, value) in COMMON {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
