//! However the network cuts up what is said, the same is said back: requests in random pieces, answers through a pipe
//! that takes a few bytes at a time.

use htcpcp::conn::{Asked, server};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::mutation::Lcg;
use crate::table::{self, Frames, describe, options, pick, run};

/// How many connections the test makes.
const ROUNDS: usize = 4000;

/// Answers with the description of the request, whole or in chunks as the method says.
async fn handler(request: Request<Incoming>, asked: Asked) -> Response<UnsyncBoxBody<Bytes, std::io::Error>> {
    let is_chunked = request.method() == "PROPFIND";
    let text = describe(request, asked).await;
    if !is_chunked {
        return table::answer(StatusCode::OK, text).map(|body| body.map_err(|never| match never {}).boxed_unsync());
    }
    let chunks: Vec<_> = text.as_bytes().chunks(7).map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk)))).collect();
    table::answer(StatusCode::OK, "").map(|_| StreamBody::new(Frames(chunks.into_iter())).boxed_unsync())
}

const REQUESTS: [&str; 14] = [
    "GET / HTTP/1.1\r\n\r\n",
    "HEAD /pot-1 HTTP/1.1\nHost: ducky\n\n",
    "\r\n\nGET coffee://ducky/pot-1?cream HTTP/1.1\r\nAccept: */*\r\n\r\n",
    "HEAD caf%C3%E8://ducky HTCPCP/1.1\r\n\r\n",
    "PROPFIND / HTTP/1.1\r\n\r\n",
    "PROPFIND coffee://ducky HTCPCP/1.1\r\n\r\n",
    "WHEN pot-1 HTCPCP/1.1\r\n\r\n",
    "WHEN * HTCPCP-TEA/1.0\r\nConnection: keep-alive\r\n\r\n",
    "BREW kaffe: HTTP/1.1\r\nContent-Length: 5\r\n\r\nstart",
    "BREW /tea HTTP/1.1\r\ncontent-length:4\r\n\r\nstop",
    "PUT / HTCPCP/1.1\r\nContent-Length: 45\r\n\r\nHTTP/1.1 200 OK\r\n\r\nGET / HTTP/1.1\r\nA: b\r\n\r\n..",
    "PUT coffee: HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 26\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
    "POST / HTTP/1.1\r\n\r\n",
    "MILK #?{} HTTP/1.1\r\n\r\n",
];

/// What a connection may end with.
const LAST: [&str; 6] = [
    "",
    "BREW coffee://ducky HTTP/1.1\r\n\r\nstart",
    "POST coffee: HTTP/1.1\r\n\r\ncoffee-message-body=stop",
    "PUT coffee: HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nstart\r\n0\r\n\r\n",
    "GET coffee: HTTP/1.1\r\nConnection: close\r\n\r\n",
    "GET coffee:\r\n",
];

fn generate(random: &mut Lcg) -> Vec<u8> {
    let mut said: String = (0..random.below(6)).map(|_| pick(random, &REQUESTS)).collect();
    said += pick(random, &LAST);
    said.into_bytes()
}

/// What the pot answers to `asked`, given in `pieces` through a pipe of `pipe_len` bytes.
async fn converse(pieces: &[&[u8]], pipe_len: usize) -> Vec<u8> {
    let (pot, client) = tokio::io::duplex(pipe_len);
    let serving = tokio::spawn(async move { server::serve(pot, &options(), handler, std::future::pending()).await });
    let (mut reader, mut writer) = tokio::io::split(client);
    let ask = async {
        for piece in pieces {
            writer.write_all(piece).await.expect("the pot reads, if only to drain");
            tokio::task::yield_now().await;
        }
        writer.shutdown().await.expect("the pot reads, if only to drain");
    };
    let listen = async {
        let mut said = Vec::new();
        reader.read_to_end(&mut said).await.expect("the pot closes in order");
        said
    };
    let ((), said) = tokio::join!(ask, listen);
    serving.await.expect("nothing panics").expect("nothing is wrong with these requests");
    said
}

#[test]
fn pieces_do_not_matter() {
    let mut random = Lcg(3);
    run(async {
        for _ in 0..ROUNDS {
            let asked = generate(&mut random);
            let pieces = cut(&asked, &mut random);
            let pipe_len = 1 + random.below(300);
            let whole = converse(&[&asked], 1 << 16).await;
            let split = converse(&pieces, pipe_len).await;
            assert_eq!(split.escape_ascii().to_string(), whole.escape_ascii().to_string(), "{} {pipe_len}", pieces_shown(&pieces));
        }
    });
}

fn cut<'a>(mut asked: &'a [u8], random: &mut Lcg) -> Vec<&'a [u8]> {
    let longest = 1 + random.below(60);
    let mut pieces = Vec::new();
    while !asked.is_empty() {
        let (piece, after) = asked.split_at(asked.len().min(1 + random.below(longest)));
        pieces.push(piece);
        asked = after;
    }
    pieces
}

fn pieces_shown(pieces: &[&[u8]]) -> String {
    pieces.iter().map(|piece| piece.escape_ascii().to_string()).collect::<Vec<_>>().join("|")
}
