//! Answers that mean harm, each to a typed error.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use imts::{CallError, Failure, Fault, Malformed, Policy, ReplyError, Trouble};

use crate::{GRANT, Raw, builder, client, hyper, ok};

/// What a client makes of a service.
async fn fault(service: &Raw) -> Fault {
    fault_within(service, Policy::default()).await
}

async fn fault_within(service: &Raw, policy: Policy) -> Fault {
    let transport = hyper().build();
    let client = builder(&service.url()).policy(policy).nonblocking(transport).unwrap();
    let error = client.token().await.unwrap_err();
    assert!(matches!(error, CallError::Renewal(_)), "{error:?}");
    error.trouble().map(Trouble::fault).cloned().unwrap()
}

fn failure(fault: Fault) -> Failure {
    let Fault::Failed(failure) = fault else { panic!("{fault:?}") };
    failure
}

#[tokio::test]
async fn a_redirect_is_an_error_and_is_not_followed() {
    let elsewhere = Raw::saying(ok(GRANT)).await;
    for status in [301, 302, 303, 307, 308] {
        for to in ["/v5/elsewhere".to_owned(), format!("{}/v5", elsewhere.url())] {
            let answer =
                format!("HTTP/1.1 {status} Moved\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
            let service = Raw::saying(answer).await;
            match fault(&service).await {
                Fault::Reply(ReplyError::Unexpected(reply)) => {
                    assert_eq!(reply.status().as_u16(), status);
                }
                other => panic!("{other:?}"),
            }
            assert_eq!((service.requests(), elsewhere.connections()), (1, 0));
        }
    }
}

#[tokio::test]
async fn a_body_without_an_end_is_cut_at_the_limit() {
    let piece = vec![b' '; 65_536];
    let chunk = [b"10000\r\n", &piece[..], b"\r\n"].concat();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    for (head, piece) in [
        (format!("{head}content-length: 67108864\r\n\r\n"), piece.clone()),
        (format!("{head}connection: close\r\n\r\n"), piece),
        (format!("{head}transfer-encoding: chunked\r\n\r\n"), chunk),
    ] {
        let said = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&said);
        let service = Raw::start(move |mut line| {
            let (head, piece, count) = (head.clone(), piece.clone(), Arc::clone(&count));
            async move {
                line.request().await;
                line.say(head.as_bytes()).await;
                for _ in 0..1_024 {
                    if !line.say(&piece).await {
                        break;
                    }
                    count.fetch_add(piece.len(), Ordering::SeqCst);
                }
            }
        })
        .await;
        let fault = fault(&service).await;
        assert!(
            matches!(
                fault,
                Fault::Reply(ReplyError::Malformed(Malformed::TooLarge { limit: 65_536 }))
            ),
            "{fault:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
        let said = said.load(Ordering::SeqCst);
        assert!(said < 32 << 20, "the rest is not read: {said} bytes were");
    }
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_a_lost_reply() {
    let whole = ok(GRANT);
    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                   transfer-encoding: chunked\r\n\r\n20\r\n{\"state\":true";
    for answer in [&whole[..whole.len() - 1], &whole[..20], chunked, ""] {
        let failure = failure(fault(&Raw::saying(answer).await).await);
        assert!(!failure.is_not_sent() && !failure.is_timed_out(), "{answer:?}: {failure}");
    }
}

#[tokio::test]
async fn a_body_that_drips_is_given_up_at_the_time_limit() {
    let service = Raw::start(|mut line| async move {
        line.request().await;
        for byte in ok(GRANT).into_bytes() {
            if !line.say(&[byte]).await {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let mut policy = Policy::default();
    policy.time_limit = Duration::from_millis(200);
    let began = Instant::now();
    let failure = failure(fault_within(&service, policy).await);
    assert!(failure.is_timed_out() && !failure.is_not_sent(), "{failure}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_head_without_an_end_is_refused() {
    let many: String = (0..1_000).map(|n| format!("x-{n}: flood\r\n")).collect();
    let long = format!("x-long: {}\r\n", "x".repeat(1 << 20));
    let continues = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000);
    for answer in [
        format!("HTTP/1.1 200 OK\r\n{many}\r\n{GRANT}"),
        format!("HTTP/1.1 200 OK\r\n{long}\r\n{GRANT}"),
        format!("HTTP/1.1 200 OK\r\n{}", long.repeat(64)),
        format!("{continues}HTTP/1.1 200 OK\r\n{many}"),
    ] {
        let service = Raw::saying(answer).await;
        let failure = failure(fault(&service).await);
        assert!(!failure.is_not_sent(), "{failure}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_a_lost_reply() {
    for answer in [
        &b"SSH-2.0-OpenSSH_9.6\r\n"[..],
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"HTTP/0.9 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n",
    ] {
        let fault = fault(&Raw::saying(answer).await).await;
        let refused = match &fault {
            Fault::Failed(failure) => !failure.is_not_sent(),
            Fault::Reply(ReplyError::Unexpected(_)) => true,
            _ => false,
        };
        assert!(refused, "{}: {fault:?}", String::from_utf8_lossy(answer));
    }
}

#[tokio::test]
async fn a_second_answer_nobody_asked_for_is_not_taken_for_a_later_one() {
    let forged = ok(&GRANT.replace("access-1", "forged"));
    let service = Raw::start(move |mut line| {
        let forged = forged.clone();
        async move {
            line.request().await;
            line.say(format!("{}{forged}", ok(GRANT)).as_bytes()).await;
            line.request().await;
            line.say(ok(&GRANT.replace("access-1", "access-2")).as_bytes()).await;
        }
    })
    .await;
    let client = client(&service.url());
    let first = client.token().await.unwrap();
    assert_eq!(first.expose_token(), "access-1");
    tokio::time::sleep(Duration::from_millis(20)).await;
    // Whatever comes next, it is not the forged token.
    match client.token_valid_for(Duration::from_secs(900)).await {
        Ok(bearer) => assert_ne!(bearer.expose_token(), "forged"),
        Err(CallError::ShortLived { .. } | CallError::Renewal(_)) => {}
        Err(other) => panic!("{other:?}"),
    }
}
