//! One exchange: a request comes in, a response goes out. What the request means is told by `order`, what becomes of it by
//! `kitchen`, and how that is said by `answer`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use htcpcp::conn::Asked;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};

use crate::answer::{Answer, Content};
use crate::kitchen::{Kitchen, Refused};
use crate::menu::Pot;
use crate::order::{self, Order};

/// The longest body that is read. The longest that means anything has 27 bytes.
const BODY_LIMIT: usize = 1024;

/// Answers `request`. A body has to be there within `body_time`.
pub async fn answer(kitchen: &Arc<Kitchen>, body_time: Duration, mut request: Request<Incoming>, asked: Asked) -> Response<Full<Bytes>> {
    let answer = match asked.fault {
        Some(fault) => Answer::text(fault.status().as_u16(), fault.to_string()),
        None => match read(request.body_mut(), body_time).await {
            Ok(body) => {
                let order = Order::read(order::Request {
                    method: request.method().as_str().as_bytes(),
                    target: asked.target.as_bytes(),
                    headers: request.headers(),
                    body: &body,
                });
                match order {
                    Ok(order) => carry_out(kitchen, order).await,
                    Err(refusal) => refusal.into(),
                }
            }
            Err(answer) => answer,
        },
    };
    answer.write(request.method(), asked.dialect, kitchen.clock())
}

/// The body. Where it ends is unknown if it is not read to its end, and so is where the next request begins.
async fn read(body: &mut Incoming, time: Duration) -> Result<Bytes, Answer> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    match tokio::time::timeout(time, Limited::new(body, BODY_LIMIT).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Answer::last(413, "The body is too large")),
        Ok(Err(_)) => Err(Answer::last(400, "The body ended before its end")),
        Err(_) => Err(Answer::last(408, "The body took too long")),
    }
}

async fn carry_out(kitchen: &Arc<Kitchen>, order: Order) -> Answer {
    match order {
        Order::Current(pot) => Answer::ok(content(pot), kitchen.current(pot)),
        Order::Properties(pot) => Answer::ok(content(pot), kitchen.properties(pot)),
        Order::WhichTea => Answer::which_tea(),
        Order::Start { wish, additions, milk, alternates } => {
            let done = on_disk(kitchen, move |kitchen| kitchen.start(wish, additions, milk)).await;
            let answer = done.map_or_else(Answer::from, |()| Answer::ok(Content::Brew, Bytes::new()));
            Answer { alternates, ..answer }
        }
        Order::Stop(pot) => {
            let done = on_disk(kitchen, move |kitchen| kitchen.stop(pot)).await;
            done.map_or_else(Answer::from, |body| Answer::ok(content(pot), body))
        }
        Order::When(pot) => {
            let done = on_disk(kitchen, move |kitchen| kitchen.when(pot)).await;
            done.map_or_else(Answer::from, |()| Answer::ok(content(pot), Bytes::new()))
        }
        Order::Log { before, most } => {
            let page = on_disk(kitchen, move |kitchen| kitchen.log(before, most)).await;
            page.map_or_else(Answer::from, |page| Answer::ok(Content::Brew, page))
        }
    }
}

fn content(pot: Pot) -> Content {
    match pot {
        Pot::Ducky => Content::Brew,
        Pot::Tea => Content::Tea,
    }
}

/// Does what waits for the disk where nobody else waits with it.
async fn on_disk<T: Send + 'static>(
    kitchen: &Arc<Kitchen>,
    work: impl FnOnce(&Kitchen) -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let kitchen = Arc::clone(kitchen);
    let done = tokio::task::spawn_blocking(move || work(&kitchen)).await.expect("the kitchen does not panic");
    if let Err(Refused::Log(error)) = &done {
        tracing::error!("{}", htcpcp::conn::chain(error));
    }
    done
}
