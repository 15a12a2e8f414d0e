/** The file of budgets in the folder of usage; it goes along with the copy of the ledger. */
export const BUDGETS_FILE = 'budgets';
