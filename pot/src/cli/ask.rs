//! The commands that ask a running pot: arguments become a request, the answer becomes words.

mod tap;

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use clap::ValueEnum;
use htcpcp::conn::client;
use htcpcp::header::{COFFEE_POT_COMMAND, Field, TEAPOT};
use htcpcp::{HOST, Method};
use http::Response;
use http::header::{CONTENT_TYPE, DATE};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use jiff::civil::DateTime;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpStream;

use super::{DONE, Outcome, REFUSED};

/// How long a pot may think.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes: a page of the log has some tens of thousands.
const ANSWER_LIMIT: usize = 1 << 20;

#[derive(clap::Args, Debug)]
struct Common {
    /// Where the pot listens
    #[arg(long, value_name = "HOST:PORT", default_value_t = format!("127.0.0.1:{}", htcpcp::POT_PORT))]
    pot: String,

    /// Show the bytes that cross the wire, in both directions
    #[arg(short, long)]
    verbose: bool,
}

#[derive(clap::Args, Debug)]
struct Choice {
    #[command(flatten)]
    common: Common,

    /// Which of the pots: ducky (coffee) or tea
    #[arg(long, value_name = "NAME")]
    use_pot: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Words for a person
    Text,
    /// The pot's own JSON
    Json,
}

/// Brew a coffee, or tea
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  pot brew
  pot brew --addition cream --addition vanilla
  pot brew --tea earl-grey --addition sugar
  pot brew --use-pot tea                      418, of course
  pot brew -v                                 see the exchange")]
pub struct Brew {
    #[command(flatten)]
    choice: Choice,

    /// What to put in; may be repeated
    #[arg(long, value_name = "NAME")]
    addition: Vec<String>,

    /// Tea instead: asks the pot which teas there are (RFC 7168), and brews this one, or the first
    #[arg(long, value_name = "VARIETY", num_args = 0..=1, default_missing_value = "")]
    tea: Option<String>,
}

/// Stop what is being brewed
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  pot stop
  pot stop --tea earl-grey                    it is served as strong as it is by now")]
pub struct Stop {
    #[command(flatten)]
    choice: Choice,

    /// The tea of this variety
    #[arg(long, value_name = "VARIETY")]
    tea: Option<String>,
}

/// Say when there is enough milk
#[derive(clap::Args, Debug)]
#[command(after_help = "Milk is poured once the coffee is strong enough, until somebody says when.\n\nExample:\n  pot when")]
pub struct When {
    #[command(flatten)]
    choice: Choice,
}

/// Say what is being brewed
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  pot status\n  pot status --use-pot tea --format json")]
pub struct Status {
    #[command(flatten)]
    choice: Choice,

    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Say of which beans
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  pot beans\n  pot beans --format json | jq .origin")]
pub struct Beans {
    #[command(flatten)]
    choice: Choice,

    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Show what was brewed, the latest first
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  pot log\n  pot log --before 120 --limit 50\n  pot log --format json | jq '.brews[].additions'")]
pub struct Log {
    #[command(flatten)]
    common: Common,

    /// Only brews with lower numbers
    #[arg(long, value_name = "NUMBER")]
    before: Option<i64>,

    /// How many at most; the pot gives up to 100 at a time
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,

    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What is sent.
struct Ask<'a> {
    method: Method,
    /// What follows `coffee://ducky`.
    path: Cow<'a, str>,
    content_type: &'static str,
    use_pot: Option<&'a str>,
    additions: &'a [String],
    body: &'static str,
}

impl<'a> Ask<'a> {
    fn new(method: Method) -> Ask<'a> {
        Ask { method, path: "".into(), content_type: COFFEE_POT_COMMAND, use_pot: None, additions: &[], body: "" }
    }

    /// Asks for the tea at `path`.
    fn tea(self, path: impl Into<Cow<'a, str>>) -> Ask<'a> {
        Ask { path: path.into(), content_type: TEAPOT, ..self }
    }

    async fn send(&self, common: &Common) -> Result<Response<Bytes>, Box<dyn std::error::Error>> {
        let target = format!("coffee://{HOST}{}", self.path);
        let mut request = client::request(self.method.as_str(), target.as_bytes()).header(CONTENT_TYPE, self.content_type);
        if !self.additions.is_empty() {
            request = request.header(Field::AcceptAdditions.as_str(), self.additions.join("; "));
        }
        if let Some(pot) = self.use_pot {
            request = request.header(Field::UsePot.as_str(), pot);
        }
        let request = request.body(Full::new(Bytes::from(self.body)))?;
        let exchange = async {
            let stream = TcpStream::connect(&common.pot).await.map_err(|error| {
                let hint = "is it running? start it with: pot";
                io::Error::new(error.kind(), format!("cannot reach the pot at {}: {error} ({hint})", common.pot))
            })?;
            let (head, body) = if common.verbose {
                let (head, body) = client::send(tap::Tap::new(stream), request).await?.into_parts();
                (head, Limited::new(body, ANSWER_LIMIT).collect().await.map_err(no_end)?.to_bytes())
            } else {
                let (head, body) = client::send(stream, request).await?.into_parts();
                (head, Limited::new(body, ANSWER_LIMIT).collect().await.map_err(no_end)?.to_bytes())
            };
            Ok(Response::from_parts(head, body))
        };
        tokio::time::timeout(PATIENCE, exchange).await.unwrap_or_else(|_| Err(format!("the pot at {} does not answer", common.pot).into()))
    }
}

fn no_end(error: Box<dyn std::error::Error + Send + Sync>) -> Box<dyn std::error::Error> {
    format!("the pot's answer has no proper end: {error}").into()
}

impl Brew {
    /// Orders.
    pub fn run(self) -> Outcome {
        let Choice { common, use_pot } = &self.choice;
        let brew = Ask { use_pot: use_pot.as_deref(), additions: &self.addition, body: "start", ..Ask::new(Method::Brew) };
        wait(async {
            let Some(variety) = &self.tea else {
                return done(&brew.send(common).await?, "Your coffee is being brewed.");
            };
            let question = Ask { body: "start", ..Ask::new(Method::Brew).tea("") };
            let answer = question.send(common).await?;
            let alternates = answer.headers().get(Field::Alternates.as_str()).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let mut paths = alternates_paths(alternates);
            let Some(path) = paths.find(|path| path.ends_with(variety.as_str())) else {
                let offer: Vec<_> = alternates_paths(alternates).map(|path| path.trim_start_matches('/')).collect();
                eprintln!("pot: there is no such tea; there is: {}", if offer.is_empty() { "none".into() } else { offer.join(", ") });
                return Ok(REFUSED);
            };
            let said = format!("Your {} is being brewed.", path.trim_start_matches('/'));
            done(&brew.tea(path).send(common).await?, &said)
        })
    }
}

/// The paths of an Alternates field. Source: RFC 2295 §8.3.
fn alternates_paths(alternates: &str) -> impl Iterator<Item = &str> {
    alternates.split("{\"").skip(1).filter_map(|variant| Some(variant.split_once('"')?.0))
}

impl Stop {
    /// Stops.
    pub fn run(self) -> Outcome {
        let Choice { common, use_pot } = &self.choice;
        let stop = Ask { use_pot: use_pot.as_deref(), body: "stop", ..Ask::new(Method::Brew) };
        wait(async {
            match &self.tea {
                None => done(&stop.send(common).await?, "Stopped."),
                Some(variety) => {
                    let answer = stop.tea(format!("/{variety}")).send(common).await?;
                    let strength = parse::<Record>(&answer).ok().and_then(|tea| tea.strength_percent);
                    done(&answer, &format!("Stopped; it is {} % strong.", strength.unwrap_or(100)))
                }
            }
        })
    }
}

impl When {
    /// Says it.
    pub fn run(self) -> Outcome {
        let Choice { common, use_pot } = &self.choice;
        let when = Ask { use_pot: use_pot.as_deref(), ..Ask::new(Method::When) };
        wait(async { done(&when.send(common).await?, "The milk has stopped.") })
    }
}

impl Status {
    /// Asks and tells.
    pub fn run(self) -> Outcome {
        let Choice { common, use_pot } = &self.choice;
        let ask = Ask { use_pot: use_pot.as_deref(), ..Ask::new(Method::Get) };
        wait(async { tell(&ask.send(common).await?, self.format, status) })
    }
}

impl Beans {
    /// Asks and tells.
    pub fn run(self) -> Outcome {
        let Choice { common, use_pot } = &self.choice;
        let ask = Ask { use_pot: use_pot.as_deref(), ..Ask::new(Method::Propfind) };
        wait(async { tell(&ask.send(common).await?, self.format, beans) })
    }
}

impl Log {
    /// Asks and tells.
    pub fn run(self) -> Outcome {
        let before = self.before.map(|id| format!("&before={id}")).unwrap_or_default();
        let path = format!("/log?limit={}{before}", self.limit);
        let ask = Ask { path: path.into(), ..Ask::new(Method::Get) };
        wait(async { tell(&ask.send(&self.common).await?, self.format, log) })
    }
}

fn wait(work: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Says `said` if the pot has done what it was asked to do.
fn done(answer: &Response<Bytes>, said: &str) -> Outcome {
    if let Some(code) = refused(answer) {
        return Ok(code);
    }
    writeln!(io::stdout(), "{said}")?;
    Ok(DONE)
}

/// Writes down what the pot says.
fn tell(answer: &Response<Bytes>, format: Format, text: fn(&Response<Bytes>) -> Result<String, serde_json::Error>) -> Outcome {
    if let Some(code) = refused(answer) {
        return Ok(code);
    }
    let said = match format {
        Format::Json => parse::<&RawValue>(answer).map(|json| json.get().to_string()),
        Format::Text => text(answer).map(|text| printable(&text)),
    };
    writeln!(io::stdout(), "{}", said.map_err(|error| format!("the pot's answer makes no sense: {error}"))?)?;
    Ok(DONE)
}

/// Words of a pot for a terminal, which nothing in them can make act.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn refused(answer: &Response<Bytes>) -> Option<u8> {
    if answer.status().is_success() {
        return None;
    }
    let code = answer.status().as_u16();
    let reason = htcpcp::Status::find(code).map_or("", |status| status.reason);
    eprintln!("pot: {code} {reason}: {}", visible(answer.body()));
    Some(REFUSED)
}

/// Bytes of the wire for a terminal: what is not printable ASCII is escaped.
fn visible(bytes: &[u8]) -> String {
    let escaped = |byte: &u8| match byte {
        b' '..=b'~' => vec![*byte],
        _ => byte.escape_ascii().collect(),
    };
    String::from_utf8_lossy(&bytes.iter().flat_map(escaped).collect::<Vec<_>>()).into_owned()
}

/// What the pot says about a brew, by the lab's keys.
#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    id: i64,
    #[serde(default)]
    date: String,
    beverage_type: Option<String>,
    #[serde(default)]
    additions: Vec<String>,
    #[serde(default)]
    brew_time_end: String,
    pour_milk_start: Option<String>,
    coffee_bean: Option<Bean>,
    tea: Option<String>,
    strength_percent: Option<u8>,
    outcome: Option<String>,
    ended: Option<String>,
}

#[derive(Deserialize)]
struct Bean {
    name: Option<String>,
    profile: Option<String>,
    origin: Option<String>,
    #[serde(rename = "type")]
    sort: Option<String>,
    strength: Option<String>,
    roast: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    brews: Vec<Record>,
    total: u64,
    next: Option<i64>,
}

fn parse<'a, T: Deserialize<'a>>(answer: &'a Response<Bytes>) -> Result<T, serde_json::Error> {
    serde_json::from_slice(answer.body())
}

impl Record {
    /// `Coffee (Yirgacheffe) with cream, vanilla`.
    fn beverage(&self) -> String {
        let of = self.coffee_bean.as_ref().and_then(|bean| bean.name.as_deref()).or(self.tea.as_deref());
        let of = of.map(|name| format!(" ({name})")).unwrap_or_default();
        let with = if self.additions.is_empty() { String::new() } else { format!(" with {}", self.additions.join(", ")) };
        format!("{}{of}{with}", self.beverage_type.as_deref().unwrap_or("Something"))
    }
}

fn status(answer: &Response<Bytes>) -> Result<String, serde_json::Error> {
    let brew: Record = parse(answer)?;
    if brew.beverage_type.is_none() {
        return Ok("Nothing is being brewed.".into());
    }
    // By the pot's own clock, which may be another than ours.
    let now = answer.headers().get(DATE).and_then(|date| lab_time(date.to_str().ok()?));
    let end = lab_time(&brew.brew_time_end);
    let doing = match now.zip(end) {
        Some((now, end)) if now < end => {
            format!("Ready in {} s, at {}.", end.duration_since(now).as_secs(), end.time())
        }
        Some(_) if brew.pour_milk_start.is_some() => "Milk is being poured: say when, with pot when.".into(),
        _ => format!("Ready at {}.", brew.brew_time_end),
    };
    Ok(format!("{}. {doing}", brew.beverage()))
}

fn lab_time(text: &str) -> Option<DateTime> {
    DateTime::strptime("%a, %d %b %Y %H:%M:%S", text).ok()
}

fn beans(answer: &Response<Bytes>) -> Result<String, serde_json::Error> {
    let bean: Bean = parse(answer)?;
    let rows = [
        ("Bean", &bean.name),
        ("Profile", &bean.profile),
        ("Origin", &bean.origin),
        ("Type", &bean.sort),
        ("Strength", &bean.strength),
        ("Roast", &bean.roast),
    ];
    let lines: Vec<_> = rows.iter().filter_map(|(name, value)| Some(format!("{name:9} {}", value.as_deref()?))).collect();
    Ok(if lines.is_empty() { "No coffee is being brewed.".into() } else { lines.join("\n") })
}

fn log(answer: &Response<Bytes>) -> Result<String, serde_json::Error> {
    let page: Page = parse(answer)?;
    if page.brews.is_empty() {
        return Ok("Nothing was brewed.".into());
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(["#", "Started", "What", "Outcome", "Ended"]);
    for brew in &page.brews {
        let outcome = brew.outcome.as_deref().unwrap_or("under way");
        table.add_row([&brew.id.to_string(), &brew.date, &brew.beverage(), outcome, brew.ended.as_deref().unwrap_or("")]);
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim().to_string()).collect();
    let more = page.next.map(|id| format!("\nOlder ones: pot log --before {id}")).unwrap_or_default();
    Ok(format!("{}\n\n{} of {} brews{more}", lines.join("\n"), page.brews.len(), page.total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(alternates: &str, expected: &[&str]) {
        assert_eq!(alternates_paths(alternates).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn alternates_name_their_paths() {
        check(&pot::menu::Tea::alternates(), &["/earl-grey", "/darjeeling", "/peppermint"]);
        check(r#"{"/pot-0/assam" {type message/teapot}}"#, &["/pot-0/assam"]);
        check("", &[]);
        check("{\"", &[]);
    }
}
