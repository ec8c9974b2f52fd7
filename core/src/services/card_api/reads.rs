//! What a partner can ask about cards, requests and transactions. Each may be asked again.

use serde::Deserialize;

use crate::json::Json;
use crate::operation::Auth;
use crate::services::flat;
use crate::services::request::{open, reply, request};
use crate::services::values::{Date, Found, Hidden, Uuid};

request! {
    /// Asks what became of a request (published). The only way on after a lost reply.
    RequestStatus = "request-status", Read, Auth::Jws, Some("/v5/card-api/request/status"), Published => CardRequest;
    required { request_id: Uuid = "request_id", }
    optional {}
}

request! {
    /// Asks about a card (published in part: the reply is not).
    CardInfo = "card-info", Read, Auth::Jws, Some("/v5/card-api/card/info"), Published => Json;
    required {
        request_id: Uuid = "request_id",
        card_id: Hidden = "card_id",
    }
    optional {}
}

request! {
    /// Asks for the statement of a card (published; the page is cut). It takes no `request_id`.
    StatementExtended = "statement-extended", Read, Auth::Jws, Some("/v5/card-api/card/statement_extended"), Published => Statement;
    required {
        card_id: Hidden = "card_id",
        start_date: Date = "start_date",
        end_date: Date = "end_date",
    }
    optional {}
}

request! {
    /// Asks about a transaction. Its fields are published and its path is not.
    TransactionInfo = "transaction-info", Read, Auth::Jws, None, Published => Transaction;
    required {
        request_id: Uuid = "request_id",
        transaction_id: Hidden = "transaction_id",
    }
    optional {}
}

reply! {
    /// What became of a request.
    CardRequest {
        /// How far the service is with it.
        request_status: flat::RequestStatus = "request_status",
        /// The cards that it made.
        cards: Vec<Card> = "cards",
        /// The client that it made.
        client_id: Found = "client_id",
        /// When the service replied.
        dt: Found = "dt",
    }
}

/// A card of a reply.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Card {
    /// Its id.
    pub card_id: Found,
}

reply! {
    /// The statement of a card, as far as its page could be read.
    Statement {
        /// How far the service is with the request.
        request_status: flat::RequestStatus = "request_status",
        /// The client.
        client_id: Found = "client_id",
        /// The card.
        card: StatementCard = "card",
        /// The operations, whose form is not published.
        operations: Json = "operations",
        /// When the service replied.
        dt: Found = "dt",
    }
}

reply! {
    /// The card of a statement.
    StatementCard {
        /// The card's id.
        card_id: Found = "card_id",
        /// Its number, with digits masked by the service.
        card_mask: Hidden = "card_mask",
        /// The balances, whose form is not published.
        balances: Json = "balances",
        /// The accounts.
        accounts: Vec<StatementAccount> = "accounts",
        /// The authorizations, whose form is not published.
        authorizations: Json = "authorizations",
    }
}

reply! {
    /// An account of a card. The amounts are as the service wrote them.
    StatementAccount {
        /// The account's number.
        iban: Hidden = "iban",
        /// Its currency.
        currency: Found = "currency",
        /// What went out.
        debit: Found = "debit",
        /// What came in.
        credit: Found = "credit",
        /// What is on it.
        amount: Found = "amount",
        /// What is blocked.
        blocked_amount: Found = "blocked_amount",
    }
}

reply! {
    /// What is known of a transaction.
    Transaction {
        /// How far the service is with the request.
        request_status: flat::RequestStatus = "request_status",
        /// The transaction.
        transaction: TransactionState = "transaction",
        /// Further facts, each with a key and a value.
        additional: Vec<TransactionDetail> = "additional",
        /// When the service replied.
        dt: Found = "dt",
    }
}

reply! {
    /// The state of a transaction.
    TransactionState {
        /// Its status. The page prints one word.
        status: TransactionWord = "status",
        /// Its error's code.
        error_code: Found = "error_code",
        /// A text about the code.
        error_description: Found = "error_description",
    }
}

open! {
    /// The status of a transaction.
    TransactionWord {
        /// It is new.
        New = "new",
    }
}

reply! {
    /// A further fact about a transaction.
    TransactionDetail {
        /// Its key.
        key: Found = "key",
        /// Its value, which may identify a person.
        value: Hidden = "value",
    }
}
