//! `imts demo`: a session's whole life over a real socket, and calls that move money under faults.
//! Each step is checked against what was promised.
//!
//! Owns the sandbox, the client and the order of the steps. [`steps`] and [`payments`] know what
//! each step does. Only the sandbox's log and ledger say what reached the service, never the
//! client.

mod control;
mod crowd;
mod pace;
mod payments;
mod report;
mod siblings;
mod stage;
mod steps;

use imts_sandbox::{Front, Sandbox, Settings};

use self::control::Control;
use self::pace::Pace;
use self::report::Report;
use self::stage::Stage;
use crate::args::Demo;
use crate::carrier::{self, Carrier, Network};
use crate::failure::{Failure, Kind};
use crate::interrupt::{self, Stop};
use crate::log::Log;
use crate::settings;

pub(crate) fn run(args: Demo, log: Log) -> Result<(), Failure> {
    interrupt::ending("the demo ended", move |stop| perform(&args, log, stop))
}

fn perform(args: &Demo, log: Log, stop: &Stop) -> Result<(), Failure> {
    let own = match &args.base_url {
        Some(_) => None,
        None => Some(serve()?),
    };
    let url = match (&args.base_url, &own) {
        (Some(url), _) => url.0.clone(),
        (None, Some(front)) => front.url(),
        (None, None) => return Err(Failure::usage("no sandbox was started")),
    };
    let endpoint = settings::endpoint(Some(&url), true, None)?;
    if !carrier::is_plain(&endpoint) {
        return Err(Failure::endpoint(
            "the demo uses a sandbox on this machine only: give http://127.0.0.1:PORT",
        ));
    }
    let report = Report::new(args.json, log);
    report.started(&url, own.is_some(), args.transport.as_str());
    let carrier = Carrier::new(args.transport, &Network::loopback())?;
    let control = Control::connect(endpoint.clone(), carrier.clone())?;
    let pace = Pace::measure(&control).map_err(stage::broken)?;
    report.pace(pace.factor());
    let mut stage =
        Stage::new(endpoint, payments::service()?, control, report, carrier, log, pace)?;
    for step in steps::ALL {
        step.perform(&mut stage)?;
    }
    stop.take_over()?;
    let failed = stage.report.finish();
    if failed == 0 {
        Ok(())
    } else {
        let message = format!("{failed} of {} steps did not go as promised", steps::ALL.len());
        Err(Failure::new(Kind::Demo, imts::Recovery::Report, message))
    }
}

/// Starts the demo's own sandbox, on a free port of loopback.
fn serve() -> Result<Front, Failure> {
    Front::start(Sandbox::new(Settings::default()))
        .map_err(|error| Failure::usage(format!("cannot serve on loopback: {error}")))
}
