//! The steps of the demo, each with the requests that it may cost.

use std::thread;
use std::time::Duration;

use imts::{Epoch, TokenError};

use super::stage::{Stage, broken};
use super::{crowd, payments, siblings};
use crate::failure::Failure;

/// One promise, and how it is shown.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) calls: Calls,
    pub(crate) run: fn(&mut Stage) -> Result<(), String>,
}

/// What the service's log must hold after a step: operations and statuses.
pub(crate) enum Calls {
    InOrder(&'static [(&'static str, u16)]),
    AnyOrder(fn() -> Vec<(String, u16)>),
}

impl Step {
    /// Performs one step, and checks its result and the service's log against the promise.
    pub(crate) fn perform(&self, stage: &mut Stage) -> Result<(), Failure> {
        stage.report.step(self.name, self.title);
        let mark = stage.control.mark().map_err(broken)?;
        let outcome = (self.run)(stage);
        let calls = stage.control.calls_since(mark).map_err(broken)?;
        let seen: Vec<_> = calls.iter().map(|call| (call.operation.clone(), call.status)).collect();
        let (expected, wrong) = match self.calls {
            Calls::InOrder(expected) => {
                calls.iter().for_each(|call| stage.report.call(call));
                let expected: Vec<_> =
                    expected.iter().map(|(name, status)| ((*name).to_owned(), *status)).collect();
                let wrong = (seen != expected).then(|| {
                    format!("the service saw {}, promised were {}", list(&seen), list(&expected))
                });
                (expected.len(), wrong)
            }
            Calls::AnyOrder(expected) => {
                stage.report.calls(&calls);
                let expected = expected();
                (expected.len(), difference(&expected, &seen))
            }
        };
        let wrong = outcome.err().or(wrong);
        stage.report.step_done(self.name, expected, seen.len(), wrong.as_deref());
        Ok(())
    }
}

pub(crate) const ALL: &[Step] = &[
    Step {
        name: "sign_in",
        title: "1. Sign-in: credentials go in, a token comes out.",
        calls: Calls::InOrder(&[("get_token", 200)]),
        run: sign_in,
    },
    Step {
        name: "valid",
        title: "2. Valid: a thousand requests for a token cost no call; the service accepts the \
                token.",
        calls: Calls::InOrder(&[("echo", 200)]),
        run: valid,
    },
    Step {
        name: "expiring",
        title: "3. Expiring: the old token serves while a refresh runs in the background.",
        calls: Calls::InOrder(&[("refresh", 200)]),
        run: expiring,
    },
    Step {
        name: "expired_rotation",
        title: "4. Expired, with rotation: each refresh brings a new refresh token and uses it once.",
        calls: Calls::InOrder(&[("refresh", 200), ("refresh", 200)]),
        run: expired_rotation,
    },
    Step {
        name: "refused_refresh",
        title: "5. A refused refresh falls back to sign-in, in the same request for a token.",
        calls: Calls::InOrder(&[("refresh", 401), ("get_token", 200)]),
        run: refused_refresh,
    },
    Step {
        name: "outage",
        title: "6. An outage with Retry-After: one call, then a back-off until the outage ends.",
        calls: Calls::InOrder(&[("refresh", 503), ("refresh", 200)]),
        run: outage,
    },
    Step {
        name: "rejected",
        title: "7. A rejected token (401) is never used again.",
        calls: Calls::InOrder(&[("echo", 401), ("refresh", 200), ("echo", 200)]),
        run: rejected,
    },
    Step {
        name: "restart",
        title: "8. A restart continues from the saved session: no sign-in, no refresh.",
        calls: Calls::InOrder(&[("echo", 200)]),
        run: restart,
    },
    Step {
        name: "crowd",
        title: "9. A thousand callers ask at the moment of expiry: one refresh serves them all.",
        calls: Calls::InOrder(&[("refresh", 200)]),
        run: crowd,
    },
    Step {
        name: "cancelled_leader",
        title: "10. The caller that began a refresh gives up: the refresh continues and serves the \
                others.",
        calls: Calls::InOrder(&[("refresh", 200)]),
        run: cancelled_leader,
    },
    Step {
        name: "siblings",
        title: "11. Four processes share a session, and one is killed while it renews: one sign-in \
                serves the others.",
        calls: Calls::InOrder(siblings::CALLS),
        run: siblings::run,
    },
    Step {
        name: "money",
        title: "12. Money: 200 calls under random faults; no call is applied twice or reported \
                wrongly.",
        calls: Calls::AnyOrder(payments::calls),
        run: payments::run,
    },
];

fn sign_in(stage: &mut Stage) -> Result<(), String> {
    stage.tell("no token yet");
    stage.ask()?;
    expect_phase(stage, "valid")
}

fn valid(stage: &mut Stage) -> Result<(), String> {
    let first = stage.ask()?;
    for _ in 0..1_000 {
        let (outcome, _) = stage.ask_quietly();
        same(first.epoch(), outcome.map_err(|error| error.to_string())?.epoch())?;
    }
    stage.tell("asked a thousand times more: the same token");
    echo(stage, 200)
}

fn expiring(stage: &mut Stage) -> Result<(), String> {
    let old = stage.ask()?.epoch();
    stage.set_lifetime(2)?;
    stage.wait_for_phase("expiring")?;
    same(old, stage.ask()?.epoch())?;
    stage.wait_until("the refresh in the background", || stage.phase() == "valid")?;
    other(old, stage.ask()?.epoch())
}

fn expired_rotation(stage: &mut Stage) -> Result<(), String> {
    stage.control.set_rotation_always()?;
    stage.set_lifetime(1)?;
    for _ in 0..2 {
        stage.wait_for_expiry()?;
        stage.ask()?;
        expect_phase(stage, "valid")?;
    }
    stage.nothing_used_twice()
}

fn refused_refresh(stage: &mut Stage) -> Result<(), String> {
    stage.control.refuse_refresh(true)?;
    stage.wait_for_expiry()?;
    let outcome = stage.ask();
    stage.control.refuse_refresh(false)?;
    outcome?;
    expect_phase(stage, "valid")
}

fn outage(stage: &mut Stage) -> Result<(), String> {
    let old = stage.ask()?.epoch();
    // The token lives one second and has half a second left. The back-off of one second outlasts
    // it.
    stage.wait_for_phase("expiring")?;
    stage.control.begin_outage(stage.pace.factor())?;
    same(old, stage.ask()?.epoch())?;
    stage.wait_for_expiry()?;
    let mut wait = Duration::ZERO;
    for _ in 0..100 {
        match stage.ask_quietly().0 {
            Err(TokenError::Waiting { wait: left, .. }) => wait = left,
            Err(error) => {
                return Err(format!(
                    "a request for a token in the outage failed in \
                                              another way: {error}"
                ));
            }
            Ok(_) => return Err("a request for a token in the outage got a token".to_owned()),
        }
    }
    stage.tell(&format!(
        "asked 100 times: the answer was at once to wait {:.2} s",
        wait.as_secs_f64()
    ));
    stage.control.end_outage()?;
    stage.set_lifetime(2)?;
    thread::sleep(wait);
    stage.ask()?;
    expect_phase(stage, "valid")
}

fn rejected(stage: &mut Stage) -> Result<(), String> {
    // After this wait, the grant is old enough that its rejection counts as news, and not as a
    // faulty service.
    thread::sleep(Duration::from_millis(150));
    let old = stage.ask()?;
    stage.control.revoke_access_tokens()?;
    echo(stage, 401)?;
    stage.client.reject(old.epoch());
    stage.tell("the token was rejected");
    other(old.epoch(), stage.ask()?.epoch())?;
    echo(stage, 200)
}

fn restart(stage: &mut Stage) -> Result<(), String> {
    let old = stage.ask()?;
    let bytes = stage.restart()?;
    stage.tell(&format!("a new client, from {bytes} bytes that the hook had saved"));
    let new = stage.ask()?;
    if new.expose_token() != old.expose_token() {
        return Err("the restored session has another token".to_owned());
    }
    echo(stage, 200)
}

fn crowd(stage: &mut Stage) -> Result<(), String> {
    let old = stage.ask()?.epoch();
    // Tokens granted from here on outlive the demo, however slow the machine is.
    stage.set_lifetime(900)?;
    let crowd = crowd::gather(&stage.client, 1_000)?;
    stage.control.hold_replies(50)?;
    stage.wait_for_expiry()?;
    let served = crowd.release();
    stage.control.hold_replies(0)?;
    let served = served?;
    stage.tell(&format!(
        "{} asked at once: each got number {}, the last after {} ms",
        served.count,
        served.epoch.count(),
        served.last.as_millis()
    ));
    other(old, served.epoch)
}

fn cancelled_leader(stage: &mut Stage) -> Result<(), String> {
    // After this wait, the grant is old enough that its rejection counts as news, and not as a
    // faulty service.
    thread::sleep(Duration::from_millis(150));
    let old = stage.ask_quietly().0.map_err(|error| error.to_string())?.epoch();
    let held = 300 * stage.pace.factor();
    stage.control.hold_replies(held)?;
    stage.client.reject(old);
    stage.tell(&format!("the token was rejected, and each reply is delayed by {held} ms"));
    let left = crowd::begin_and_leave(&stage.client);
    let served = crowd::gather(&stage.client, 20).and_then(crowd::Crowd::release);
    stage.control.hold_replies(0)?;
    stage.tell(left?);
    let served = served?;
    stage.tell(&format!(
        "{} callers asked after it: each got number {}, the last after {} ms",
        served.count,
        served.epoch.count(),
        served.last.as_millis()
    ));
    other(old, served.epoch)?;
    stage.nothing_used_twice()
}

/// Sends the session's token to a protected operation.
fn echo(stage: &Stage, expected: u16) -> Result<(), String> {
    let bearer = stage.ask_quietly().0.map_err(|error| error.to_string())?;
    let status = stage.control.echo(&bearer)?;
    stage.tell(&format!("sent the token to a protected operation: status {status}"));
    if status == expected {
        Ok(())
    } else {
        Err(format!("status {status}, promised was {expected}"))
    }
}

fn expect_phase(stage: &Stage, wanted: &str) -> Result<(), String> {
    match stage.phase() {
        phase if phase == wanted => Ok(()),
        phase => Err(format!("the session is {phase}, promised was {wanted}")),
    }
}

fn same(old: Epoch, new: Epoch) -> Result<(), String> {
    if old == new {
        Ok(())
    } else {
        Err("a new token came although the old one was valid".to_owned())
    }
}

fn other(old: Epoch, new: Epoch) -> Result<(), String> {
    if old == new {
        Err("the old token came although a new one was due".to_owned())
    } else {
        Ok(())
    }
}

fn list(calls: &[(String, u16)]) -> String {
    if calls.is_empty() {
        return "no call".to_owned();
    }
    let calls: Vec<_> =
        calls.iter().map(|(operation, status)| format!("{operation} -> {status}")).collect();
    calls.join(", ")
}

/// Returns the first request that the service saw more or less often than promised, in any order.
fn difference(expected: &[(String, u16)], seen: &[(String, u16)]) -> Option<String> {
    let times = |calls: &[(String, u16)], call| calls.iter().filter(|it| *it == call).count();
    expected.iter().chain(seen).find_map(|call| {
        let (promised, came) = (times(expected, call), times(seen, call));
        let (operation, status) = call;
        (promised != came).then(|| {
            format!(
                "the service saw {operation} -> {status} {came} times, promised were {promised}"
            )
        })
    })
}
