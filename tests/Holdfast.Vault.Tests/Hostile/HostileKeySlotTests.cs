using System.Buffers.Binary;
using Holdfast.Log;
using Holdfast.Testing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Hostile;

/// <summary>Key slots that somebody put there who has the store: they must cost whoever opens the vault little.</summary>
public sealed class HostileKeySlotTests
{
    private const string Ours = "8888888888888888";
    private static readonly SimulatedEntropy Entropy = new(3);

    private static readonly Lazy<byte[]> Slot = new(() =>
    {
        using VaultSecret secret = VaultFixture.Secret();
        return KeySlot.Seal(TestKeys.Ring(), secret, FaultWorld.VaultId, Ours, PasswordKey.DefaultPasses, new SimulatedEntropy(9));
    });

    private readonly MemoryObjectStore store = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Were they tried first, or at all, this would take minutes and gigabytes.</summary>
    [Fact]
    public async Task SlotsThatAskForMuchAreTriedAfterThoseThatDoNot()
    {
        store.Overwrite("keys/" + Ours, Slot.Value);
        for (int i = 0; i < 40; i++) Put(i, passes: 8, memoryBytes: 1UL << 30);
        for (int i = 40; i < 63; i++) Put(i, passes: 64, memoryBytes: 4UL << 30);

        (string slot, KeyRing ring) = await OpenAsync("correct horse");

        Assert.Equal(Ours, slot);
        Assert.Equal(TestKeys.Ring().Encode(), ring.Encode());
    }

    [Fact]
    public async Task AllTriesTogetherAreBounded()
    {
        Put(0, passes: 3, memoryBytes: 64UL << 20);
        Put(1, passes: 4, memoryBytes: 64UL << 20);
        using VaultSecret secret = VaultFixture.Secret();

        HoldfastException error = await Assert.ThrowsAsync<DamageException>(
            () => KeyDirectory.OpenAsync(store, FaultWorld.VaultId, secret, Token, maxWork: 6UL * (64 << 20)));

        Assert.Contains("keys/0000000000000001: asks for more work than is left", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASlotThatAsksForTooMuchIsNotTried()
    {
        Put(0, passes: 65, memoryBytes: 64UL << 20);
        Put(1, passes: 3, memoryBytes: (1UL << 30) + 1);
        Put(2, passes: 9, memoryBytes: 1UL << 30);

        HoldfastException error = await Assert.ThrowsAsync<HoldfastException>(() => OpenAsync("correct horse"));

        Assert.Equal(ErrorKind.Damage, error.Kind);
        Assert.Contains("absurd key derivation", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MoreSlotsThanThereCanBeAreNotTried()
    {
        for (int i = 0; i <= KeyDirectory.MaxSlots; i++) store.Overwrite($"keys/{i:x16}", [1, 2, 3]);

        HoldfastException error = await Assert.ThrowsAsync<DamageException>(() => OpenAsync("correct horse"));

        Assert.Contains($"more than {KeyDirectory.MaxSlots} key slots", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoMoreKeysAreAddedThanAreTried()
    {
        for (int i = 0; i < KeyDirectory.MaxSlots; i++) store.Overwrite($"keys/{i:x16}", Slot.Value);
        using VaultSecret secret = VaultFixture.Secret();

        HoldfastException error = await Assert.ThrowsAsync<HoldfastException>(
            () => KeyDirectory.AddAsync(SimulatedHost.Create(1), store, FaultWorld.VaultId, Ours, TestKeys.Ring(), secret, Token));

        Assert.Equal(ErrorKind.Refused, error.Kind);
        Assert.Equal(KeyDirectory.MaxSlots, store.Names.Length);
    }

    [Fact]
    public async Task ASlotThatIsTooLongToReadHidesNoOther()
    {
        store.Overwrite("keys/0000000000000000", new byte[KeySlot.MaxBytes + 1]);
        store.Overwrite("keys/" + Ours, Slot.Value);

        Assert.Equal(Ours, (await OpenAsync("correct horse")).Slot);
    }

    private async Task<(string Slot, KeyRing Ring)> OpenAsync(string password)
    {
        using VaultSecret secret = VaultFixture.Secret(password);
        return await KeyDirectory.OpenAsync(store, FaultWorld.VaultId, secret, Token);
    }

    /// <summary>A slot that looks well, with a name before ours.</summary>
    private void Put(int number, ulong passes, ulong memoryBytes)
    {
        byte[] slot = [.. Slot.Value];
        BinaryPrimitives.WriteUInt64LittleEndian(slot.AsSpan(16), passes);
        BinaryPrimitives.WriteUInt64LittleEndian(slot.AsSpan(24), memoryBytes);
        Entropy.Fill(slot.AsSpan(32, 16));
        BinaryPrimitives.WriteUInt32LittleEndian(slot.AsSpan(slot.Length - 4), Crc32C.Compute(slot.AsSpan(0, slot.Length - 4)));
        store.Overwrite($"keys/{number:x16}", slot);
    }
}
