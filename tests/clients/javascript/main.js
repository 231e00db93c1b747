// Runs every check against the server at the URL that is the only argument.

import "./client_checks.js";
import "./document_checks.js";
import "./electrodb_checks.js";
import "./indexes_checks.js";
import "./statements_checks.js";
import "./streams_checks.js";
import "./transactions_checks.js";
import { runAll } from "./checks.js";

await runAll();
