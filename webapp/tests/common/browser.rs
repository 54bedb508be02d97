//! A Chromium without a window, driven over WebDriver, which says nothing to anyone but the web app. The tests of
//! `pcap-tools` include this file, and open pages of their own with it.

#![allow(dead_code, reason = "each program uses its part")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::PATIENCE;

/// What keeps Chromium quiet: it would update itself, synchronise, and look for things to load otherwise.
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--window-size=1100,900",
];

/// A browser with a profile of its own. It ends when dropped.
pub struct Browser {
    pub client: Client,
    driver: Child,
    _profile: TempDir,
}

impl Browser {
    /// Starts one, if Chromium and its driver are here; with `CI=true` they have to be.
    pub async fn start(more_flags: &[&str]) -> Option<Browser> {
        let mut command = Command::new("chromedriver");
        let Ok(mut driver) = command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "there is no chromedriver");
            eprintln!("skipped: no chromedriver here. On Debian: sudo apt-get install chromium chromium-driver");
            return None;
        };
        let mut lines = BufReader::new(driver.stdout.take().expect("it is piped")).lines();
        let port = lines
            .find_map(|line| {
                line.expect("it is text").split_once("successfully on port ").map(|(_, rest)| rest.trim_end_matches('.').to_owned())
            })
            .expect("chromedriver says its port");
        // It writes on, and must not find a closed pipe.
        std::thread::spawn(move || lines.for_each(drop));

        let profile = tempfile::tempdir().expect("a folder");
        let mut flags: Vec<String> = FLAGS.iter().chain(more_flags).map(|flag| flag.to_string()).collect();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let Value::Object(capabilities) = json!({
            "goog:chromeOptions": { "args": flags },
            "goog:loggingPrefs": { "browser": "ALL" },
            "acceptInsecureCerts": true,
        }) else {
            unreachable!("it is an object");
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("Chromium starts");
        Some(Browser { client, driver, _profile: profile })
    }

    /// Goes to a page.
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.expect("the page opens");
    }

    /// Clicks on the first element that the selector finds.
    pub async fn click(&self, selector: &str) {
        let element = self.client.find(Locator::Css(selector)).await.unwrap_or_else(|error| panic!("no {selector}: {error}"));
        element.click().await.unwrap_or_else(|error| panic!("{selector} cannot be clicked: {error}"));
    }

    /// Waits for an element to have this text.
    pub async fn wait_for(&self, selector: &str, text: &str) {
        let mut found = Value::Null;
        let deadline = std::time::Instant::now() + PATIENCE;
        while std::time::Instant::now() < deadline {
            // A page may be on its way out at any time.
            let script = "return document.querySelector(arguments[0])?.innerText";
            found = self.client.execute(script, vec![selector.into()]).await.unwrap_or(Value::Null);
            if found.as_str().is_some_and(|found| found.contains(text)) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{selector} is {found} and not {text}");
    }

    /// What a script returns.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// What the browser has to complain of since the last time, each in a line.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(BrowserLog).await.expect("there is a log");
        let entries = log.as_array().expect("it is a list").iter();
        let worse = entries.filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG");
        worse.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Ends it, so that its last connections are closed.
    pub async fn close(mut self) {
        self.client.clone().close().await.expect("Chromium ends");
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // chromedriver takes Chromium along.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The console and the network errors. Not in the standard; chromedriver has it.
#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(&self, base_url: &url::Url, session_id: Option<&str>) -> Result<url::Url, url::ParseError> {
        base_url.join(&format!("session/{}/se/log", session_id.unwrap_or_default()))
    }

    fn method_and_body(&self, _request_url: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
