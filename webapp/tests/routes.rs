//! Route by route, over real sockets, before a real pot.

mod common;

use std::io::Write;
use std::time::Duration;

use common::{PATIENCE, Pot, Script, ScriptedPot, Web, read_response};
use webapp::serve::Limits;

const BREW: &str = "/?method=brew&message=start&pots=ducky";

fn site() -> (Pot, Web) {
    let pot = Pot::start();
    let web = Web::before(pot.address());
    (pot, web)
}

/// Orders and is sent back to the base page.
#[track_caller]
fn order(web: &Web, target: &str) {
    let response = web.check(target, 302, &[]);
    assert_eq!(response.field("Location"), Some("/"));
}

#[test]
fn the_base_page_offers_pots_and_additions() {
    let (_pot, web) = site();
    for target in ["/", "/?method=get"] {
        web.check(target, 200, &["What will it be?", r#"value="ducky" checked"#, "Ducky&#39;s Tea Pot", r#"value="half-and-half""#]);
    }
    web.check("/", 200, &[r#"value="tea">Chamomile"#, r#"value="kahlua""#, r#"value="chocolate""#]);
}

#[test]
fn a_brew_counts_down_and_then_milk_pours_until_when() {
    let (pot, web) = site();
    order(&web, &format!("{BREW}&additions=cream&additions=vanilla"));
    web.check(
        "/",
        200,
        &["Brewing", "0:30", r#"data-seconds="30""#, "<li>cream</li><li>vanilla</li>", "12:27:29", "coffee_pot.svg#brewing"],
    );
    pot.pass(Duration::from_millis(12_300));
    web.check("/", 200, &["0:18", r#"<progress max="30" value="12""#]);
    web.check("/?method=when", 409, &["nothing to stop"]);
    pot.pass(Duration::from_secs(20));
    web.check("/", 200, &["Say when", "Stop the milk", "coffee_pot.svg#pouring"]);
    order(&web, "/?method=when");
    web.check("/", 200, &["What will it be?"]);
}

#[test]
fn a_brew_without_milk_is_ready_by_itself_and_any_can_be_stopped() {
    let (pot, web) = site();
    order(&web, BREW);
    let page = web.check("/", 200, &["Brewing", "nothing", "It is ready"]);
    assert!(!page.body.contains("Stop the milk"));
    pot.pass(Duration::from_secs(31));
    web.check("/", 200, &["What will it be?"]);
    order(&web, "/?method=post&message=start");
    order(&web, "/?method=brew&message=stop");
    web.check("/", 200, &["What will it be?"]);
    web.check("/?method=brew&message=stop", 409, &[]);
}

#[test]
fn beans_are_known_while_they_are_brewed() {
    let (_pot, web) = site();
    web.check("/?method=propfind", 200, &["No beans to speak of"]);
    order(&web, BREW);
    web.check("/?method=propfind", 200, &["Paraíso Gold", "Brazil", "Medium light", r#"<meter min="0" max="5" value="2""#]);
}

#[test]
fn the_log_has_pages() {
    let (pot, web) = site();
    web.check("/log", 200, &["Nothing yet"]);
    for _ in 0..21 {
        order(&web, &format!("{BREW}&additions=rum"));
        pot.pass(Duration::from_secs(31));
    }
    order(&web, BREW);
    order(&web, "/?method=brew&message=stop");
    let page = web.check("/log", 200, &["22 brews", "<th scope=\"row\">22</th>", "stopped", "ready", "rum", r#"href="/log?before=3""#]);
    assert!(!page.body.contains("<th scope=\"row\">2</th>"));
    let page = web.check("/log?before=3", 200, &["<th scope=\"row\">2</th>", "Latest"]);
    assert!(!page.body.contains("Earlier"));
    web.check("/log?before=1", 200, &["no earlier brews"]);
}

#[test]
fn the_pots_status_is_the_pages() {
    let (_pot, web) = site();
    web.check("/test-400", 400, &["400 Bad Request", "The pot says"]);
    web.check("/test-404", 404, &["404 Not Found", "No such pot"]);
    web.check("/test-501", 501, &["501 Not Implemented"]);
    web.check("/test-415", 415, &["415 Unsupported Media Type"]);
    web.check("/?method=brew&message=start&pots=tea", 418, &["I&#39;m short and stout", "coffee_pot.svg#teapot"]);
    web.check("/?method=brew&message=start&pots=ducky&pots=tea", 418, &[]);
    web.check(&format!("{BREW}&additions=tea"), 406, &["not on the menu", "<li>half-and-half</li>"]);
    order(&web, BREW);
    web.check(BREW, 406, &["Pot is busy"]);
}

#[test]
fn requests_to_the_pot_are_the_labs_one_a_page() {
    let pot = ScriptedPot::start(Script::answer("200 OK", "{}"));
    let web = Web::before(pot.address);
    web.check("/", 200, &[]);
    order(&web, "/?method=brew&message=start&pots=ducky&pots=tea&additions=coconut+milk&additions=almond+milk");
    order(&web, "/?method=when");
    web.check("/?method=propfind", 200, &[]);
    let head = "HTTP/1.1\r\nContent-Type: application/coffee-pot-command\r\n";
    let expected = [
        format!("GET coffee://ducky {head}\r\n"),
        format!(
            "BREW coffee://ducky {head}Accept-Additions: coconut milk; almond milk\r\nUse-Pot: ducky; tea\r\nContent-Length: 5\r\n\r\nstart"
        ),
        format!("WHEN coffee://ducky {head}\r\n"),
        format!("PROPFIND coffee://ducky {head}\r\n"),
    ];
    assert_eq!(pot.asked(), expected);
}

#[test]
fn what_is_not_understood_never_reaches_the_pot() {
    let pot = ScriptedPot::start(Script::answer("200 OK", "{}"));
    let web = Web::before(pot.address);
    for query in [
        "method=brew&message=start&additions=cream%0d%0aUse-Pot:%20tea",
        "method=brew&message=start%0d%0a%0d%0aBREW%20coffee://ducky%20HTTP/1.1",
        "method=brew%20coffee://ducky&message=start",
        "method=brew&message=start&pots=ducky%00",
        "method=brew&message=start&additions=vanilla;q=1",
        "method=%FF",
        "method",
        "&&=",
    ] {
        let page = web.check(&format!("/?{query}"), 400, &["Nobody understands that order"]);
        assert!(!page.head.contains("Use-Pot"), "{}", page.head);
    }
    web.check("/log?before=1%26limit=9", 400, &[]);
    web.check("/log?before=1%0d%0aUse-Pot:tea", 400, &[]);
    assert_eq!(pot.asked(), [""; 0]);
}

#[test]
fn what_a_browser_sends_is_shown_escaped() {
    let (_pot, web) = site();
    let page = web.check("/?method=%3Cscript%3Ealert(1)%3C/script%3E%22%27", 400, &["&#60;script&#62;alert(1)"]);
    assert!(!page.body.contains("<script>"));
    let page = web.check("/?%3Cimg%20src=x%20onerror=alert(1)%3E", 400, &[]);
    assert!(!page.body.contains("<img src=x"));
}

#[test]
fn what_a_pot_says_is_shown_escaped() {
    let evil = "<script>alert(1)</script>\\\"' onload='alert(1)";
    let bean = format!(r#"{{"name":"{evil}","profile":"{evil}","origin":"{evil}","type":"{evil}","strength":"{evil}","roast":"{evil}"}}"#);
    let brew = format!(
        r#""date":"Tue, 27 Jun 2023 12:26:59","beverage_type":"{evil}","additions":["{evil}"],"brew_time_end":"Tue, 27 Jun 2023 12:27:29","pour_milk_start":null,"tea":"{evil}","coffee_bean":{bean}"#
    );
    let log = format!(r#"{{"total":1,"brews":[{{"id":1,"pot":"ducky","outcome":"{evil}",{brew}}}],"next":null}}"#);
    for (target, status, body) in [
        ("/", "200 OK", format!("{{{brew}}}")),
        ("/?method=propfind", "200 OK", bean),
        ("/log", "200 OK", log),
        ("/test-400", "400 Bad Request", evil.to_owned()),
        ("/test-404", "406 Not Acceptable", format!("cream; {evil}")),
    ] {
        let pot = ScriptedPot::start(Script::answer(status, &body));
        let page = Web::before(pot.address).check(target, status[..3].parse().unwrap(), &["&#60;script&#62;"]);
        assert!(!page.body.contains("<script>alert"), "{}", page.body);
        assert!(!page.body.contains("onload='"), "{}", page.body);
    }
}

#[test]
fn every_response_is_guarded() {
    let (_pot, web) = site();
    for target in ["/", "/log", "/nowhere", "/?method=x", BREW, BREW, "/assets/styles.css", "/favicon.ico", "/robots.txt"] {
        let response = web.get(target);
        let policy = response.field("Content-Security-Policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{target}: {policy}");
        assert!(!policy.contains("unsafe"), "{target}: {policy}");
        assert_eq!(response.field("X-Content-Type-Options"), Some("nosniff"), "{target}");
        assert_eq!(response.field("Referrer-Policy"), Some("same-origin"), "{target}");
        let is_asset = target.contains('.');
        assert_eq!(response.field("Cache-Control"), Some(if is_asset { "no-cache" } else { "no-store" }), "{target}");
    }
    let picture = web.get("/assets/coffee_pot.svg");
    assert_eq!(picture.field("Content-Security-Policy"), Some("default-src 'none'; style-src 'unsafe-inline'"));
}

#[test]
fn pages_have_no_inline_script_or_style() {
    let (_pot, web) = site();
    order(&web, &format!("{BREW}&additions=cream"));
    for target in ["/", "/log", "/?method=propfind", "/nowhere", BREW] {
        let page = web.get(target).body;
        assert_eq!(page.matches("<script").count(), page.matches(r#"<script src="/assets/script.js">"#).count(), "{target}");
        assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick="), "{target}");
    }
}

#[test]
fn assets_are_not_sent_twice() {
    let (_pot, web) = site();
    for asset in ["/assets/styles.css", "/assets/script.js", "/assets/coffee_pot.svg", "/favicon.ico", "/robots.txt"] {
        let first = web.check(asset, 200, &[]);
        let (etag, modified) = (first.field("ETag").unwrap(), first.field("Last-Modified").unwrap());
        assert_eq!(modified, "Tue, 27 Jun 2023 00:00:00 GMT");
        for condition in [format!("If-None-Match: {etag}\r\n"), format!("If-Modified-Since: {modified}\r\n")] {
            let again = web.get_with(asset, &condition);
            assert_eq!((again.status, again.field("ETag")), (304, Some(etag)), "{asset} {condition}");
        }
        assert_eq!(web.get_with(asset, "If-None-Match: \"other\"\r\n").status, 200);
    }
}

#[test]
fn orders_of_other_websites_are_refused() {
    let (_pot, web) = site();
    for site in ["cross-site", "same-site"] {
        assert_eq!(web.get_with(BREW, &format!("Sec-Fetch-Site: {site}\r\n")).status, 403, "{site}");
        assert_eq!(web.get_with("/", &format!("Sec-Fetch-Site: {site}\r\n")).status, 200, "{site}");
    }
    assert_eq!(web.get_with(BREW, "Sec-Purpose: prefetch;prerender\r\n").status, 403);
    web.check("/log", 200, &["Nothing yet"]);
    for site in ["same-origin", "none"] {
        assert_eq!(web.get_with(BREW, &format!("Sec-Fetch-Site: {site}\r\n")).status, 302, "{site}");
        order(&web, "/?method=brew&message=stop");
    }
}

#[test]
fn only_get_and_head_are_taken_and_head_changes_nothing() {
    let (_pot, web) = site();
    for method in ["POST", "PUT", "BREW", "OPTIONS"] {
        let response = web.ask(&format!("{method} / HTTP/1.1\r\nHost: ducky\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!((response.status, response.field("Allow")), (405, Some("GET, HEAD")), "{method}");
    }
    let head = |target: &str| web.ask(&format!("HEAD {target} HTTP/1.1\r\nHost: ducky\r\n\r\n"));
    assert_eq!(head("/").status, 200);
    assert_eq!(head("/assets/styles.css").status, 200);
    assert_eq!(head(BREW).status, 405);
    web.check("/log", 200, &["Nothing yet"]);
}

#[test]
fn a_connection_carries_many_requests() {
    let (_pot, web) = site();
    let mut stream = web.connect();
    for target in ["/", "/assets/styles.css", BREW, "/", "/nowhere"] {
        write!(stream, "GET {target} HTTP/1.1\r\nHost: ducky\r\n\r\n").unwrap();
        let response = read_response(&mut stream, false);
        assert_eq!(response.field("Connection"), None, "{target}");
    }
}

#[test]
fn what_is_no_request_gets_a_page() {
    let (_pot, web) = site();
    for (request, status) in [
        ("GET /\r\n\r\n".to_owned(), 400),
        (format!("GET / HTTP/1.1\r\nHost: ducky\r\nCookie: {}\r\n\r\n", "a".repeat(9000)), 431),
        ("HELO ducky\r\n".to_owned(), 400),
    ] {
        assert_eq!(web.ask(&request).status, status, "{}", &request[..10]);
    }
}

#[test]
fn who_finds_no_place_is_told_so() {
    let pot = Pot::start();
    let mut limits = Limits::default();
    (limits.listen.connections, limits.listen.turned_away) = (1, 1);
    let web = Web::limited(pot.address(), PATIENCE, None, limits);
    let mut first = web.connect();
    write!(first, "GET / HTTP/1.1\r\nHost: ducky\r\n\r\n").unwrap();
    assert_eq!(read_response(&mut first, false).status, 200);
    let response = web.check("/", 503, &["crowded"]);
    assert_eq!(response.field("Connection"), Some("close"));
    write!(first, "GET /log HTTP/1.1\r\nHost: ducky\r\n\r\n").unwrap();
    assert_eq!(read_response(&mut first, false).status, 200);
}

#[test]
fn a_shutdown_ends_idle_connections() {
    let (_pot, mut web) = site();
    let mut stream = web.connect();
    write!(stream, "GET / HTTP/1.1\r\nHost: ducky\r\n\r\n").unwrap();
    assert_eq!(read_response(&mut stream, false).status, 200);
    web.end();
    assert_eq!(std::io::Read::read(&mut stream, &mut [0]).unwrap(), 0);
    assert!(std::net::TcpStream::connect(web.address()).is_err());
}
