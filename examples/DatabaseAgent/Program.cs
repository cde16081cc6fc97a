// A program that owns a RocksDB database and lets `holdfast db` copy it while it writes. Ends when its input ends, or with Ctrl-C.
using System.Globalization;
using System.Text;
using Holdfast.Databases.Agents;
using Holdfast.Databases.RocksDb;

if (args.Length != 1)
{
    Console.Error.WriteLine("usage: DatabaseAgent DIRECTORY");
    return 2;
}

using RocksDatabase database = RocksDatabase.Open(args[0], new RocksOptions { CreateIfMissing = true });

// The one line. From now on "holdfast db" asks this program for copies.
using CheckpointAgent agent = CheckpointAgent.Start(database);

Console.WriteLine($"holdfast db checkpoint rocksdb:{database.Path} {database.Path}.copy");
using var stop = new CancellationTokenSource();
_ = Task.Run(() =>
{
    while (Console.In.ReadLine() is not null)
    {
        // Only its end means something.
    }

    stop.Cancel();
});
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

// Orders come in; each is on the disk when it is acknowledged.
long number = 0;
using (RocksIterator orders = database.Iterate())
{
    if (orders.SeekToLast()) number = long.Parse(Encoding.UTF8.GetString(orders.Key), CultureInfo.InvariantCulture);
}

while (!stop.IsCancellationRequested)
{
    string key = (++number).ToString("D12", CultureInfo.InvariantCulture);
    database.Put(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes($"order {number}"), durability: RocksDurability.Synced);
}

Console.WriteLine($"{number} orders");
return 0;
