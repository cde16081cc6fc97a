using Holdfast.Databases.RocksDb;
using Holdfast.Log;

namespace Holdfast.Databases.Tests.RocksDb;

public sealed class RocksLockTests : RocksTest
{
    private static readonly RocksOptions Create = new() { CreateIfMissing = true };

    [Fact]
    public void AHeldDatabaseCannotBeOpenedInThisProcess()
    {
        RocksDatabase.Open(DatabasePath, Create).Dispose();
        using (Engine.Hold(DatabasePath))
        {
            Assert.Equal(ErrorKind.Busy, Assert.Throws<HoldfastException>(() => RocksDatabase.Open(DatabasePath)).Kind);
            Assert.Equal(ErrorKind.Busy, Assert.Throws<HoldfastException>(() => Engine.Hold(DatabasePath)).Kind);
            // Nor after others have opened and closed its lock.
            Assert.Equal(ErrorKind.Busy, Assert.Throws<HoldfastException>(() => RocksDatabase.Open(DatabasePath)).Kind);
            Assert.True(RocksLock.IsHeld(DatabasePath));
        }

        Assert.False(RocksLock.IsHeld(DatabasePath));
        RocksDatabase.Open(DatabasePath).Dispose();
    }

    [Fact]
    public void AHeldDatabaseCannotBeOpenedInAnotherProcess()
    {
        RocksDatabase.Open(DatabasePath, Create).Dispose();
        using IDisposable held = Engine.Hold(DatabasePath);
        using var owner = new WriterProcess(DatabasePath, $"{Root}/acknowledged", seed: 1);
        Assert.Throws<Xunit.Sdk.FalseException>(() => owner.Await(more: 1));
    }

    [Fact]
    public void ADatabaseThatIsOpenCannotBeHeld()
    {
        using (RocksDatabase.Open(DatabasePath, Create))
        {
            Assert.Equal(ErrorKind.Busy, Assert.Throws<HoldfastException>(() => Engine.Hold(DatabasePath)).Kind);
            Assert.True(RocksLock.IsHeld(DatabasePath));
        }

        Engine.Hold(DatabasePath).Dispose();
        using var owner = new WriterProcess(DatabasePath, $"{Root}/acknowledged", seed: 1);
        owner.Await(more: 1);
        Assert.Equal(ErrorKind.Busy, Assert.Throws<HoldfastException>(() => Engine.Hold(DatabasePath)).Kind);
        Assert.True(RocksLock.IsHeld(DatabasePath));
        owner.Kill();
        Assert.False(RocksLock.IsHeld(DatabasePath));
    }

    /// Whoever asks must not take the lock away from RocksDB of this process, which closing the file would do.
    [Fact]
    public void AskingInTheOwnersProcessLeavesTheLockToIt()
    {
        using RocksDatabase database = RocksDatabase.Open(DatabasePath, Create);
        Assert.True(RocksLock.IsHeld(DatabasePath));
        Assert.Throws<HoldfastException>(() => Engine.Hold(DatabasePath));
        using var other = new WriterProcess(DatabasePath, $"{Root}/acknowledged", seed: 1);
        Assert.Throws<Xunit.Sdk.FalseException>(() => other.Await(more: 1));
    }

    [Fact]
    public void ADatabaseWithLogsElsewhereIsNotReplaced()
    {
        using (RocksDatabase database = RocksDatabase.Open(DatabasePath, Create with { WalDirectory = $"{Root}/wals" })) database.Put("a"u8, "1"u8);
        Assert.Equal(ErrorKind.Refused, Assert.Throws<HoldfastException>(() => Engine.Hold(DatabasePath)).Kind);
        Assert.False(RocksLock.IsHeld(DatabasePath));
    }

    [Fact]
    public void NobodyHasADatabaseWithoutALockFile()
    {
        RocksDatabase.Open(DatabasePath, Create).Dispose();
        File.Delete($"{DatabasePath}/LOCK");
        Assert.False(RocksLock.IsHeld(DatabasePath));
        Assert.False(File.Exists($"{DatabasePath}/LOCK"));
        using (Engine.Hold(DatabasePath)) Assert.True(RocksLock.IsHeld(DatabasePath));
    }
}
