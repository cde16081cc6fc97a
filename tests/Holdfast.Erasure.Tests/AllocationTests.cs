namespace Holdfast.Erasure.Tests;

public sealed class AllocationTests
{
    [Fact]
    public void CodingAllocatesNothing()
    {
        using var shards = TestShards.Encoded(new Random(1), 5, 6, 1000);
        ReedSolomon code = ReedSolomon.Create(5, 6);
        Recovery recovery = code.PlanRecovery([2, 3, 4, 5, 6], [0, 1]);

        // Once a path is warm: the runtime itself allocates when code runs for the first times.
        long least = Enumerable.Range(0, 10).Min(_ =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Work();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        Assert.Equal(0, least);

        void Work()
        {
            code.Encode(shards.Pointers[..5], shards.Pointers[5..], 1000);
            code.UpdateParity(1, shards.Pointers[1], shards.Pointers[1], shards.Pointers[5..], 1000);
            _ = code.IsConsistent(shards.Pointers[..5], shards.Pointers[5..], 1000);
            recovery.Recover(shards.Pointers[2..7], shards.Pointers[..2], 1000);
        }
    }
}
