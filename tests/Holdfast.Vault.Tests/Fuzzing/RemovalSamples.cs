using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Fuzzing;

/// <summary>Removals to be mutated, and what is done with them.</summary>
internal static class RemovalSamples
{
    private const uint Number = 7;

    public static byte[][] All()
    {
        PackId moved = Pack(1), target = Pack(2);
        var packs = new PackRemoval[]
        {
            new(moved, RemovalVerdict.Condemned, 3, 70, [0b1011, 1], [new ChunkRun(target, 9, 0, 2), new ChunkRun(Pack(3), 20, 7, 2)]),
            PackRemoval.Condemn(Pack(4), Number),
            PackRemoval.Of(Pack(5), RemovalVerdict.Reprieved),
            PackRemoval.Of(Pack(6), RemovalVerdict.Final),
        };
        var lists = new ReferencesRemoval[] { new(new SessionId(1, 2), RemovalVerdict.Condemned, Number), new(new SessionId(1, 3), RemovalVerdict.Reprieved, 0) };
        return
        [
            new RemovalRecord(DateTimeOffset.UnixEpoch, ReplacesAll: false, packs, lists).Encode(),
            new RemovalRecord(DateTimeOffset.UnixEpoch, ReplacesAll: true, [packs[0] with { Verdict = RemovalVerdict.Gone }], []).Encode(),
        ];
    }

    public static int Use(byte[] bytes)
    {
        var record = RemovalRecord.Decode(bytes, Number, "test");
        var needed = new ReferenceSet();
        needed.AddAll(Pack(1), 70);
        needed.AddAll(Pack(2), 9);
        return new Removals(record).Map(needed).PackCount;
    }

    private static PackId Pack(uint number) => new(ObjectKind.DataPack, new SessionId(0, 0xABCD), number);
}
