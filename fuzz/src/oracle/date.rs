//! Dates by counting days: RFC 3339, and the preferred form of HTTP's.

/// Microseconds since 1970 of a date of RFC 3339, section 5.6; a finer fraction is cut.
///
/// Two things the RFC leaves open are read as the client reads them: a space may stand for the `T`,
/// and second 60 is the moment after second 59, in whichever minute.
pub(crate) fn rfc3339(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| digits(bytes.get(from..to)?);
    let is = |at: usize, any: &[u8]| bytes.get(at).is_some_and(|byte| any.contains(byte));
    let shape = is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":");
    shape.then_some(())?;
    let day = days(number(0, 4)?, number(5, 7)?, number(8, 10)?)?;
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    (hour < 24 && minute < 60 && second <= 60).then_some(())?;
    let mut rest = bytes.get(19..)?;
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (length > 0).then_some(())?;
        let digits = fraction[..length].iter().chain(std::iter::repeat(&b'0')).take(6);
        micros = digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        rest = &fraction[length..];
    }
    let offset = match rest {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (digits(&rest[1..3])?, digits(&rest[4..6])?);
            (hours < 24 && minutes < 60).then_some(())?;
            let ahead = hours * 60 + minutes;
            if *sign == b'+' { ahead } else { -ahead }
        }
        _ => return None,
    };
    let minutes = (day * 24 + hour) * 60 + minute - offset;
    Some((minutes * 60 + second) * 1_000_000 + micros)
}

/// Microseconds since 1970 of a date in the form that RFC 9110, section 5.6.7, has senders use.
pub(crate) fn http(text: &str) -> Option<i64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let bytes = text.as_bytes();
    (bytes.len() == 29 && text.is_ascii()).then_some(())?;
    let is = |at: usize, what: &str| text.get(at..at + what.len()) == Some(what);
    let shape = [(3, ", "), (7, " "), (11, " "), (16, " "), (19, ":"), (22, ":"), (25, " GMT")];
    shape.iter().all(|(at, what)| is(*at, what)).then_some(())?;
    let name = &text[8..11];
    let month = MONTHS.match_indices(name).find(|(at, _)| at % 3 == 0)?.0 / 3 + 1;
    let number = |from: usize, to: usize| digits(&bytes[from..to]);
    let day = days(number(12, 16)?, i64::try_from(month).ok()?, number(5, 7)?)?;
    let weekday = usize::try_from(day.rem_euclid(7)).ok()?;
    is(0, DAYS[weekday]).then_some(())?;
    let (hour, minute, second) = (number(17, 19)?, number(20, 22)?, number(23, 25)?);
    (hour < 24 && minute < 60 && second <= 60).then_some(())?;
    Some((((day * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes
        .iter()
        .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, counted year by year and month by month.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |month: i64| match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    ((1..=12).contains(&month) && (1..=length(month)).contains(&day)).then_some(())?;
    // Leap years before a year, from year 0 on; year 0 is one.
    let leaps = |year: i64| (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    let before = |year: i64| year * 365 + leaps(year);
    Some(before(year) - before(1970) + (1..month).map(length).sum::<i64>() + day - 1)
}
