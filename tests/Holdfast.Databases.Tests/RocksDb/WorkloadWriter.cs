using Holdfast.Databases.RocksDb;

namespace Holdfast.Databases.Tests.RocksDb;

/// <summary>A thread that runs a workload as fast as it can.</summary>
internal sealed class WorkloadWriter : IDisposable
{
    private readonly Thread thread;
    private long acknowledged;
    private volatile bool stopped;
    private volatile Exception? failure;

    public WorkloadWriter(RocksDatabase database, int seed)
    {
        if (database.FindColumnFamily(Workload.SecondFamily) is null) database.CreateColumnFamily(Workload.SecondFamily);
        thread = new Thread(() => Run(database, seed));
        thread.Start();
    }

    /// <summary>Number of the last operation that returned.</summary>
    public long Acknowledged => Volatile.Read(ref acknowledged);

    /// <summary>Waits until some more operations have returned.</summary>
    public void Await(long more)
    {
        long wanted = Acknowledged + more;
        Assert.True(
            SpinWait.SpinUntil(() => Acknowledged >= wanted || failure is not null, TimeSpan.FromSeconds(60)), "the writer does not get on");
        Assert.Null(failure);
    }

    public void Dispose()
    {
        stopped = true;
        thread.Join();
    }

    private void Run(RocksDatabase database, int seed)
    {
        var workload = new Workload(seed);
        using var batch = new RocksBatch();
        try
        {
            for (long number = Workload.NumberOf(database) + 1; !stopped; number++)
            {
                workload.Apply(database, batch, number);
                Volatile.Write(ref acknowledged, number);
            }
        }
        catch (Exception thrown)
        {
            // Told to the test, which waits for operations.
            failure = thrown;
        }
    }
}
