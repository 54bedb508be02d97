//! The page of `pcap-tools report`: captures in, what the page holds and what a real Chromium makes of it out.
//!
//! The browser is that of the web app's tests: Chromium over WebDriver, skipped where there is none unless `CI=true`.

// One way to start a browser in the workspace; a crate of its own for a test's helper would be more than it is.
#[path = "../../webapp/tests/common/browser.rs"]
mod browser;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use browser::Browser;
use pcap_tools::craft::{self, Conversation, Endian, Pcapng};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::sync::Mutex;

/// Long enough for a loaded machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// One browser at a time: each is several processes.
static TURN: Mutex<()> = Mutex::const_new(());
const LIGHT: &str = "--blink-settings=preferredColorScheme=1";
const DARK: &str = "--blink-settings=preferredColorScheme=0";

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace")
}

/// The samples, and the lab's own captures where they are.
fn captures() -> Vec<PathBuf> {
    let lab = std::env::var_os("SHARED_CAPTURES").map_or_else(|| workspace().join("../shared/captures"), PathBuf::from);
    let folders = [workspace().join("sample_capture"), lab];
    let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let files: Vec<PathBuf> = files.map(|file| file.expect("it can be listed").path()).collect();
    files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "pcapng")).collect()
}

fn report(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pcap-tools"));
    command.arg("report").args(arguments).stdin(Stdio::null()).output().expect("the program starts")
}

/// A page, in a folder of its own.
struct Page {
    folder: TempDir,
    /// Without what stands in style and script.
    markup: String,
    scripts: Vec<String>,
    styles: Vec<String>,
    len_bytes: usize,
}

impl Page {
    fn of(capture: &Path) -> Page {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.html");
        let done = report(&[capture.to_str().unwrap(), "-o", path.to_str().unwrap()]);
        assert!(done.status.success() && done.stdout.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
        let mut markup = std::fs::read_to_string(&path).expect("the page is UTF-8");
        let len_bytes = markup.len();
        let [scripts, styles] = [("<script>", "</script>"), ("<style>", "</style>")].map(|(begin, end)| {
            let inside: Vec<String> = between(&markup, begin, end).into_iter().map(str::to_owned).collect();
            for text in &inside {
                markup = markup.replace(text, "");
            }
            inside
        });
        Page { folder, markup, scripts, styles, len_bytes }
    }

    /// The page of a capture by this name.
    fn of_bytes(name: &str, capture: &[u8]) -> Page {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, capture).expect("the capture is written");
        Page::of(&path)
    }

    fn url(&self) -> String {
        format!("file://{}", self.folder.path().join("report.html").display())
    }

    /// What stands between a tag and its end, each time.
    fn between(&self, begin: &str, end: &str) -> Vec<&str> {
        between(&self.markup, begin, end)
    }
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
    text.split(begin).skip(1).map(|rest| rest.split(end).next().unwrap_or_default()).collect()
}

fn talk(client: u16, server: u16) -> Conversation {
    let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let mut talk = Conversation::new(at(client), at(server));
    talk.handshake();
    talk
}

/// A connection with so many exchanges.
fn many(exchanges: usize) -> Vec<u8> {
    let mut talk = talk(50_000, 5031);
    for number in 0..exchanges {
        talk.client(format!("GET /{number} HTTP/1.1\r\nHost: ducky\r\nAccept: */*\r\nUser-Agent: a browser\r\n\r\n"));
        talk.server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\nServer: a web app\r\n\r\nhi");
    }
    craft::capture(&talk.packets())
}

/// Every link leads to an element that is there once.
#[track_caller]
fn check_links(page: &Page) {
    let mut ids = BTreeMap::new();
    for id in page.between(" id=\"", "\"") {
        *ids.entry(id).or_insert(0) += 1;
    }
    let twice: Vec<_> = ids.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "ids that are there more than once: {twice:?}");
    let targets: BTreeSet<&str> = page.between("href=\"#", "\"").into_iter().collect();
    assert!(targets.len() > 8, "{targets:?}");
    for target in targets {
        assert!(ids.contains_key(target), "nothing has the id {target}");
    }
    for label in page.between("aria-labelledby=\"", "\"") {
        assert!(ids.contains_key(label), "nothing has the id {label}");
    }
}

/// The policy allows what stands in the page, and the page needs nothing else.
#[track_caller]
fn check_policy(page: &Page) {
    let policy = page.between("http-equiv=\"Content-Security-Policy\" content=\"", "\"")[0];
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    assert_eq!(page.scripts.len(), 1);
    let directives: BTreeMap<&str, Vec<&str>> = policy
        .split("; ")
        .map(|directive| {
            let mut words = directive.split(' ');
            (words.next().unwrap_or_default(), words.collect())
        })
        .collect();
    assert_eq!(directives["script-src"], [hash(&page.scripts[0])]);
    for style in &page.styles {
        assert!(directives["style-src"].contains(&&*hash(style)), "{style}");
    }
    for (name, expected) in [("default-src", "'none'"), ("base-uri", "'none'"), ("form-action", "'none'"), ("img-src", "data:")] {
        assert_eq!(directives[name], [expected]);
    }
    assert_eq!(directives.len(), 6);

    for tag in page.markup.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default()) {
        let attributes = tag.split('"').step_by(2).flat_map(str::split_whitespace).filter(|word| word.ends_with('='));
        for attribute in attributes {
            let is_handler = attribute.starts_with("on") || matches!(attribute, "style=" | "src=" | "srcset=" | "action=" | "xlink:href=");
            assert!(!is_handler, "{tag}");
        }
        for target in tag.split("href=\"").skip(1) {
            assert!(target.starts_with('#') || target.starts_with("data:image/svg+xml,"), "{tag}");
        }
    }
}

#[test]
fn links_lead_somewhere_and_the_policy_fits() {
    let captures = captures();
    assert!(captures.len() >= 4, "the samples are there");
    for capture in captures {
        let page = Page::of(&capture);
        check_links(&page);
        check_policy(&page);
        // Everything that the summary names is there once.
        let summary =
            Command::new(env!("CARGO_BIN_EXE_pcap-tools")).args(["summarize", "--format", "json"]).arg(&capture).output().unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&summary.stdout).unwrap();
        for (name, row) in [("connections", "<tr id=\"c"), ("exchanges", "<tr id=\"x"), ("exchanges", "<li id=\"w")] {
            assert_eq!(page.between(row, "\"").len(), summary[name].as_array().unwrap().len(), "{name} of {}", capture.display());
        }
        for exchange in summary["exchanges"].as_array().unwrap() {
            for message in [&exchange["request"], &exchange["response"]] {
                assert!(page.markup.contains(&format!("frame-{}\"", message["frame"])), "frame {} has no arrow", message["frame"]);
            }
        }
    }
}

#[test]
fn frames_lead_to_exchanges_and_exchanges_to_arrows() {
    let page = Page::of(&workspace().join("sample_capture/coffee_418_406.pcapng"));
    // What its README says: the pot refuses frame 42 in 44, and the browser gets that in 47.
    let rows = page.between("<tr id=\"x", "</tr>");
    let row = rows.iter().find(|row| row.contains(">42</a>")).expect("the exchange has a row");
    let number = row.split('"').next().unwrap();
    assert!(row.contains("418 I&#39;m a teapot") && row.contains("frame-42\"") && row.contains("frame-44\""), "{row}");
    assert!(row.contains("<pre><b>BREW coffee://ducky HTTP/1.1</b>\n") && row.contains(&format!("href=\"#w{number}\"")), "{row}");
    let answer = page.between("id=\"answer-7\"", "</article>")[0];
    assert!(answer.contains(&format!("<a class=\"f\" href=\"#x{number}\">44</a>")), "{answer}");
    let chain = page.between("<article class=\"chain\"", "</article>").into_iter().find(|chain| chain.contains(">44</a>"));
    assert!(chain.is_some_and(|chain| chain.contains(">38</a>") && chain.contains(">42</a>") && chain.contains(">47</a>")));
    assert!(page.markup.contains(&format!("<li id=\"w{number}\" title=\"connect ")));
}

#[test]
fn rows_beyond_the_limit_are_left_out_and_said_to_be() {
    let page = Page::of_bytes("many.pcapng", &many(10_003));
    assert_eq!(page.between("<tr id=\"x", "\"").len(), 10_000);
    assert!(page.markup.contains("10003 exchanges, of which the first 10000 are here"));
    assert!(page.markup.contains("more steps are not drawn"));
    check_links(&page);
}

#[test]
fn nothing_in_it_is_fine_too() {
    let page = Page::of_bytes("empty.pcapng", &craft::capture(&[]));
    for words in ["The capture has no TCP connection.", "no HTTP or HTCPCP that can be read", "Nothing odd was found."] {
        assert!(page.markup.contains(words), "{words}");
    }
    check_policy(&page);
}

#[test]
fn where_the_page_goes_and_what_the_status_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (capture, cut) = (path("a.pcapng"), path("cut.pcapng"));
    let bytes = many(2);
    std::fs::write(&capture, &bytes).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() - 7]).unwrap();

    let piped = report(&[&capture]);
    assert!(piped.status.success() && piped.stdout.starts_with(b"<!doctype html>"));
    assert_eq!(report(&[&capture, "-o", "-"]).stdout, piped.stdout);

    let damaged = report(&[&cut]);
    assert_eq!(damaged.status.code(), Some(1));
    assert!(String::from_utf8(damaged.stdout).unwrap().contains("<strong>Damaged.</strong> frame 7"));

    let filtered = String::from_utf8(report(&[&capture, "-Y", "http.request.uri == \"/1\""]).stdout).unwrap();
    assert!(filtered.contains("1 packet passes the filter http.request.uri == &#34;/1&#34;") && !filtered.contains("GET /0"));

    for (arguments, words) in [
        ([&*capture, "-o", &path("no/a.html")], "cannot be written"),
        ([&path("none"), "-o", "-"], "cannot be read"),
        ([&*capture, "-o", &*capture], "is the capture itself"),
    ] {
        let failed = report(&arguments);
        assert_eq!(failed.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&failed.stderr).contains(words));
    }
    assert_eq!(std::fs::read(&capture).unwrap(), bytes);

    let mut piped_in = Command::new(env!("CARGO_BIN_EXE_pcap-tools"));
    let piped_in = piped_in.args(["report", "-"]).stdin(std::fs::File::open(&capture).unwrap()).output().unwrap();
    assert!(String::from_utf8(piped_in.stdout).unwrap().contains("<h1>standard input</h1>"));
}

/// What would run, load or turn something, if it were taken for more than text.
const ATTACKS: [&str; 7] = [
    "<script>window.hacked=1</script>",
    "</script><script>window.hacked=2</script>",
    "</style></pre></title></svg><img src=x onerror=window.hacked=3>",
    "--><svg onload=window.hacked=4>",
    "\" autofocus onfocus=\"window.hacked=5",
    "' onmouseover='window.hacked=6",
    "{{ 7*7 }}&lt;b&gt;\u{202e}desrever\u{2066}\u{2028}",
];

/// A capture that says it in every place that the page shows.
fn hostile() -> Vec<u8> {
    let mut packets = Vec::new();
    for (attack, port) in ATTACKS.iter().zip(50_000..) {
        let odd = [attack.as_bytes(), b"\0\x1b[31m\xff\xfe\x80"].concat();
        let part = |text: &str| [text.as_bytes(), &odd].concat();
        let mut web = talk(port, 5031);
        web.client([part("GET /"), part(" HTTP/1.1\r\nX-Odd: "), part("\r\nHost: "), b"\r\n\r\n".to_vec()].concat());
        // The name of a field, and a query that the chains show.
        web.client(format!("GET /?method={0}&x={0} HTTP/1.1\r\n{0}: y\r\n\r\n", attack.replace(' ', "+")));
        let mut pot = talk(port + 100, 5030);
        pot.client(
            [part("BREW coffee://"), part(" HTTP/1.1\r\nAccept-Additions: "), b"\r\nContent-Length: 5\r\n\r\nstart".to_vec()].concat(),
        );
        pot.server([part("HTCPCP/1.1 418 "), part("\r\nContent-Type: message/coffeepot\r\nSafe: "), part("\r\n\r\n")].concat());
        packets.extend(web.packets());
        packets.extend(pot.packets());
        web.segments.clear();
        web.server([part("HTTP/1.1 302 "), part("\r\nLocation: "), b"\r\nContent-Length: 0\r\n\r\n".to_vec()].concat());
        web.server([part("HTTP/1.1 200 "), b"\r\nContent-Length: 0\r\n\r\n".to_vec()].concat());
        packets.extend(web.packets());
        let mut tls = talk(port + 200, 443);
        tls.client(hello(attack.as_bytes()));
        packets.extend(tls.packets());
    }
    let mut file = Pcapng::new(Endian::Little);
    file.interface(craft::NULL, 0, &[(2, ATTACKS.concat().into_bytes())]);
    for (packet, ticks) in packets.iter().zip((craft::START_NS / 1000..).step_by(1000)) {
        file.packet(0, ticks, &craft::frame(craft::NULL, packet));
    }
    file.into_bytes()
}

/// A ClientHello with this server name (RFC 8446 §4.1.2, RFC 6066 §3).
fn hello(name: &[u8]) -> Vec<u8> {
    let long = |bytes: Vec<u8>| [&(bytes.len() as u16).to_be_bytes()[..], &bytes].concat();
    let names = long([vec![0], long(name.to_vec())].concat());
    let extensions = long([vec![0, 0], long(names)].concat());
    let body = [vec![3, 3], vec![7; 32], vec![0, 0, 2, 0x13, 1, 1, 0], extensions].concat();
    let message = [vec![1, 0], long(body)].concat();
    [vec![22, 3, 1], long(message)].concat()
}

const HOSTILE_NAME: &str = "<img src=x onerror=window.hacked=7>\"'&.pcapng";

#[test]
fn what_a_capture_says_is_text() {
    let page = Page::of_bytes(HOSTILE_NAME, &hostile());
    check_policy(&page);
    check_links(&page);
    assert!(!page.markup.contains("<img") && !page.markup.contains("onload=window.hacked=4>"));
    assert!(!page.markup.contains(['\0', '\u{1b}', '\u{202e}', '\u{2066}']));
    assert!(page.markup.contains("&#60;script&#62;window.hacked=1&#60;/script&#62;"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_capture_does_nothing_in_a_browser() {
    let _turn = TURN.lock().await;
    let page = Page::of_bytes(HOSTILE_NAME, &hostile());
    let Some(browser) = Browser::start(&[]).await else { return };
    browser.open(&page.url()).await;
    browser.run("for (const details of document.querySelectorAll('details')) details.open = true").await;
    browser.run("for (const element of document.querySelectorAll('*')) element.dispatchEvent(new MouseEvent('mouseover'))").await;
    assert!(browser.run("return window.hacked").await.is_null());
    assert_eq!(browser.run("return document.querySelectorAll('img, iframe, object, embed, form, base, svg [onload]').length").await, 0);
    assert_eq!(browser.run("return document.querySelectorAll('script').length").await, 1);
    assert_eq!(browser.run("return document.querySelector('h1').textContent").await, HOSTILE_NAME);
    let shown = browser.run("return document.querySelector('main').textContent").await;
    let shown = shown.as_str().unwrap();
    for attack in &ATTACKS[..6] {
        for (place, times) in [("GET /", 1), ("X-Odd: ", 1), ("BREW coffee://", 1), ("HTCPCP/1.1 418 ", 1), ("Location: ", 1)] {
            let text = format!("{place}{attack}");
            assert!(shown.matches(&text).count() >= times, "{text} is not shown");
        }
    }
    // Those of the interface and of the server name.
    assert!(shown.contains(&format!("pcapng: {}", ATTACKS[0])) && shown.contains(&format!("TLS 1.2 to {}", ATTACKS[0])));
    assert!(shown.contains("\\u{202e}desrever\\u{2066}") && shown.contains("{{ 7*7 }}&lt;b&gt;"));
    assert_eq!(browser.run("return performance.getEntriesByType('resource').length").await, 0);
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.close().await;
}

/// Luminance of a colour (WCAG 2.2), then contrast of a text's colour with that behind it.
const CONTRASTS: &str = "
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgb = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
    const light = (colour) => rgb(colour).slice(0, 3).map((part) => part / 255).map((part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
        .reduce((sum, part, at) => sum + part * [.2126, .7152, .0722][at], 0);
    const behind = (element) => { for (; element; element = element.parentElement) { const colour = getComputedStyle(element).backgroundColor; if (rgb(colour)[3] === 255) return colour; } return 'white'; };
    const poor = new Set();
    for (const element of document.querySelectorAll('body *:not(svg *, script, style)')) {
        if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
        const [one, two] = [light(getComputedStyle(element).color), light(behind(element))];
        const contrast = (Math.max(one, two) + .05) / (Math.min(one, two) + .05);
        if (contrast < 4.5) poor.add(`${element.tagName}.${element.className}: ${contrast.toFixed(2)}`);
    }
    return [...poor];";

#[tokio::test(flavor = "multi_thread")]
async fn both_colour_schemes_can_be_read_and_used() {
    let _turn = TURN.lock().await;
    let page = Page::of(&workspace().join("sample_capture/coffee_brew.pcapng"));
    let mut papers = Vec::new();
    for scheme in [LIGHT, DARK] {
        let Some(browser) = Browser::start(&[scheme]).await else { return };
        browser.open(&page.url()).await;
        papers.push(browser.run("return getComputedStyle(document.documentElement).backgroundColor").await);
        browser.run("for (const details of document.querySelectorAll('details')) details.open = true").await;
        assert_eq!(browser.run(CONTRASTS).await, serde_json::json!([]), "{scheme}");
        for check in [
            "return document.querySelectorAll('h1').length - 1",
            "return document.querySelectorAll('main').length - 1",
            "return document.querySelectorAll('table:not(:has(caption)), thead th:not([scope]), nav:not([aria-label])').length",
            "return [...document.querySelectorAll('input')].filter((input) => !input.labels.length).length",
        ] {
            assert_eq!(browser.run(check).await, 0, "{check}");
        }
        for width in [500, 800, 1100, 1200, 1300, 1400] {
            browser.client.set_window_size(width, 800).await.unwrap();
            assert_eq!(
                browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth").await,
                0,
                "nothing is beside a window of {width}"
            );
        }
        assert_eq!(browser.complaints().await, [""; 0]);
        assert_eq!(browser.run("return performance.getEntriesByType('resource').length").await, 0);
        browser.close().await;
    }
    assert_ne!(papers[0], papers[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sorting_searching_unfolding_and_following() {
    let _turn = TURN.lock().await;
    let page = Page::of(&workspace().join("sample_capture/coffee_418_406.pcapng"));
    let Some(browser) = Browser::start(&[]).await else { return };
    browser.open(&page.url()).await;

    // By time: ascending, descending, as in the capture.
    let times = "const units = { 'µs': 1, ms: 1e3, s: 1e6 };
        return [...document.querySelectorAll('.exchanges tbody tr')].map((row) => row.cells[6].textContent.split(' ')).map(([number, unit]) => number * units[unit])";
    let numbers =
        |value: serde_json::Value| -> Vec<f64> { value.as_array().unwrap().iter().filter_map(serde_json::Value::as_f64).collect() };
    let as_captured = numbers(browser.run(times).await);
    for (sorted, expected) in [("ascending", true), ("descending", false)] {
        browser.click(".exchanges th:nth-child(7) button").await;
        assert_eq!(browser.run("return document.querySelector('.exchanges th:nth-child(7)').ariaSort").await, sorted);
        let found = numbers(browser.run(times).await);
        assert!(found.len() > 5 && found.is_sorted_by(|one, two| if expected { one <= two } else { one >= two }), "{found:?}");
    }
    browser.click(".exchanges th:nth-child(7) button").await;
    assert_eq!(numbers(browser.run(times).await), as_captured);
    assert_eq!(browser.run("return document.querySelectorAll('[aria-sort]').length").await, 0);

    // Searching looks into heads, too.
    let input = browser.client.find(fantoccini::Locator::Css("#exchanges input")).await.unwrap();
    input.send_keys("teapot HTCPCP/1.1").await.unwrap();
    let shown = "return [...document.querySelectorAll('.exchanges tbody tr:not([hidden])')].map((row) => row.cells[4].textContent)";
    assert_eq!(browser.run(shown).await, serde_json::json!(["418 I'm a teapot"]));
    browser.wait_for("#exchanges output", "1 of ").await;

    // A link to a row that the search has hidden shows it again, unfolded.
    browser.run("document.querySelector('.exchanges tbody tr[hidden]').dataset.wanted = ''").await;
    let id = browser.run("return document.querySelector('[data-wanted]').id").await;
    browser.run(&format!("location.hash = {id}")).await;
    let unfolded = "const row = document.querySelector('[data-wanted]'); return !row.hidden && row.querySelector('details').open";
    let mut is_unfolded = serde_json::Value::Bool(false);
    let deadline = std::time::Instant::now() + PATIENCE;
    while is_unfolded == false && std::time::Instant::now() < deadline {
        is_unfolded = browser.run(unfolded).await;
    }
    assert_eq!(is_unfolded, true);

    // A row is a large target; its arrow in the diagram leads back to it.
    browser.click("#x3 .request").await;
    assert_eq!(browser.run("return document.querySelector('#x3 details').open").await, true);
    browser.run("document.querySelector('#diagram .d-request').dispatchEvent(new MouseEvent('click', { bubbles: true }))").await;
    assert_eq!(browser.run("return location.hash").await, "#x1");

    // Everything can be reached and used by keys.
    browser.run("document.querySelector('.exchanges th:nth-child(2) button').focus()").await;
    browser.client.active_element().await.unwrap().send_keys("\u{e007}").await.unwrap();
    assert_eq!(browser.run("return document.querySelector('.exchanges th:nth-child(2)').ariaSort").await, "ascending");
    browser.run("document.querySelector('#x2 summary').focus()").await;
    browser.client.active_element().await.unwrap().send_keys("\u{e007}").await.unwrap();
    assert_eq!(browser.run("return document.querySelector('#x2 details').open").await, true);
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_exchanges_are_all_there() {
    let _turn = TURN.lock().await;
    let page = Page::of_bytes("5000.pcapng", &many(5000));
    let Some(browser) = Browser::start(&[]).await else { return };
    browser.open(&page.url()).await;
    let opened = "const { loadEventEnd } = performance.getEntriesByType('navigation')[0]; return Math.round(loadEventEnd)";
    // No limit, since nobody knows what else the machine does.
    eprintln!("{} MB with 5,000 exchanges: open after {} ms", page.len_bytes / 1_000_000, browser.run(opened).await);
    assert_eq!(browser.run("return document.querySelectorAll('.exchanges tbody tr').length").await, 5000);
    let input = browser.client.find(fantoccini::Locator::Css("#exchanges input")).await.unwrap();
    input.send_keys("/4999").await.unwrap();
    browser.wait_for("#exchanges output", "1 of 5000").await;
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.close().await;
}
