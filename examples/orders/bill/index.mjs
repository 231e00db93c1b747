// Bills orders. It stops at the first that cannot be billed, and reports that one as failed.

const RATES = { EUR: 1, USD: 0.86, GBP: 1.14 };

export const handler = async (event) => {
  for (const record of event.Records) {
    const order = record.dynamodb.NewImage;
    const name = `${order.customer.S}/${order.number.N}`;
    const rate = RATES[order.currency.S];
    if (rate === undefined) {
      console.log(`cannot bill ${name}: currency ${order.currency.S}`);
      return { batchItemFailures: [{ itemIdentifier: record.dynamodb.SequenceNumber }] };
    }
    console.log(`billed ${name}: EUR ${(Number(order.total.N) * rate).toFixed(2)}`);
  }
  return { batchItemFailures: [] };
};
