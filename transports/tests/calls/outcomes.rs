//! Each fault, each class, both clients, in process and in virtual time.

use imts::Class;
use imts::call::Ending;
use imts::services::transfer::{CreatePerson, Status};
use imts_sandbox::{Break, Delivery, Fault, Position, Rule};

use crate::{TRIED, World, confirm, request, run};

/// What a fault is to a question, and to what creates or moves money.
fn faults() -> Vec<(Fault, Ending, Ending)> {
    use Ending::{Done, NotSent, Refused, Unknown};
    let status = |status| Fault::Status { status, retry_after_s: None };
    let mut faults = vec![
        (Fault::Latency { ms: 0 }, Done, Done),
        (status(400), Refused, Refused),
        (status(403), Refused, Refused),
        (status(409), Refused, Refused),
        (status(429), Refused, Unknown),
        (status(500), NotSent, Unknown),
        (status(503), NotSent, Unknown),
        (Fault::Html { status: 200 }, NotSent, Unknown),
        (Fault::Html { status: 502 }, NotSent, Unknown),
        (Fault::Redirect { status: 307, location: "/".to_owned() }, NotSent, Unknown),
        (Fault::Body { text: "{".to_owned() }, NotSent, Unknown),
        (Fault::Body { text: " ".repeat(70_000) }, NotSent, Unknown),
        (Fault::ContentType { value: "text/plain".to_owned() }, Done, Done),
        (Fault::Dropped, NotSent, Unknown),
    ];
    for at in [
        Position::BeforeRead,
        Position::BeforeApply,
        Position::AfterApply,
        Position::MidHeaders,
        Position::MidBody,
    ] {
        let delivery = Delivery::Broken { at, by: Break::Reset };
        faults.push((Fault::Delivery(delivery), NotSent, Unknown));
    }
    faults
}

fn ending(world: &World, class: Class, waits: bool, id: &str) -> Ending {
    if waits {
        let client = world.builder().blocking(world.transport()).unwrap();
        return match class {
            Class::Read => client.call(&request::<Status>(id)).unwrap().ending(),
            Class::Create => client.call(&request::<CreatePerson>(id)).unwrap().ending(),
            Class::Money => client.call(&confirm(id)).unwrap().ending(),
        };
    }
    let client = world.builder().nonblocking(world.task_transport()).unwrap();
    run(async {
        match class {
            Class::Read => client.call(&request::<Status>(id)).await.unwrap().ending(),
            Class::Create => client.call(&request::<CreatePerson>(id)).await.unwrap().ending(),
            Class::Money => client.call(&confirm(id)).await.unwrap().ending(),
        }
    })
}

#[test]
fn both_clients_come_to_the_end_that_the_fault_and_the_class_say() {
    for (fault, asked, written) in faults() {
        for (_, operation, _, class) in TRIED {
            for waits in [true, false] {
                let world = World::new();
                world.sandbox().set_faults(vec![Rule::always(operation, fault.clone())]);
                let expected = if class == Class::Read { asked } else { written };
                let tell =
                    format!("{fault:?} to {class}, {}", if waits { "thread" } else { "task" });
                assert_eq!(ending(&world, class, waits, "a"), expected, "{tell}");
                let applied = world.applied("a");
                assert!(applied <= 1, "{tell}: applied {applied} times");
                match expected {
                    Ending::Done => assert_eq!(applied, u64::from(class != Class::Read), "{tell}"),
                    Ending::Refused | Ending::NotSent => assert_eq!(applied, 0, "{tell}"),
                    Ending::Unknown => assert_eq!(world.sent().len(), 1, "{tell}"),
                }
                let sent = world.sent();
                assert!(sent.windows(2).all(|pair| pair[0] == pair[1]), "{tell}");
            }
        }
    }
}
