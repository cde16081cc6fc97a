using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Exporting;

namespace Holdfast.Vault.Tests.Exporting;

/// Goal: records that do not fit each other make no point that cannot be read. Method: the records of a good export are left out, doubled
/// or exchanged, and sealed with the right password; what is imported all the same must check clean.
public sealed class HostileImportTests : IDisposable
{
    private readonly VaultFixture fixture = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task RecordsThatDoNotFitEachOtherAreRefusedOrMakeAWholePoint()
    {
        const int seed = 51;
        TreeGenerator.Create(fixture.Source, seed, TreeShape.Small);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await fixture.BackupAsync(vault);
        TreeGenerator.Mutate(fixture.Source, seed + 1, changes: 40);
        BackupSummary second = await fixture.BackupAsync(vault);
        IObjectStore store = ObjectStores.Open(fixture.PathOf("second"), fixture.Host);
        using VaultSecret secret = VaultFixture.Secret("export");
        using OpenVault other = await OpenVault.InitAsync(fixture.Host, store, secret, "first", Cancel);
        await CopyRun.RunAsync(other, new CopyRequest { From = vault, Points = [await fixture.PointAsync(vault, first)] }, Cancel);
        List<ExportRecord> whole = await ReadAsync(await fixture.ExportAsync(vault, second, null), secret);
        List<ExportRecord> changes = await ReadAsync(await fixture.ExportAsync(vault, second, first), secret);
        int refused = 0;
        for (int round = 0; round < 24; round++)
        {
            var random = new Random(seed + round);
            List<ExportRecord> records = [.. round % 2 == 0 ? whole : changes];
            int at = 2 + random.Next(records.Count - 3);
            if (random.Next(3) == 0) records.Insert(at, records[2 + random.Next(records.Count - 3)]);
            else if (random.Next(2) == 0) records.RemoveAt(at);
            else (records[at], records[at + 1]) = (records[at + 1], records[at]);
            // Known by its origin, the second would not be looked at.
            var point = (PointRecord)records[1];
            records[1] = point with { Point = point.Point with { Origin = new PointOrigin(vault.Id, new SessionId(9, (ulong)round)) } };
            records[^1] = ((EndRecord)whole[^1]) with { Steps = records.Count(static record => record is StepRecord) };
            Exception? error = await Record.ExceptionAsync(() => ImportAsync(other, records, secret));
            Assert.True(error is null or HoldfastException { Kind: ErrorKind.Damage }, $"seed {seed}, round {round}: {error}");
            refused += error is null ? 0 : 1;
        }

        Assert.True(refused > 8, $"only {refused} were refused");
        CheckReport check = await CheckRun.RunAsync(other, new CheckRequest { ReadData = true }, Cancel);
        Assert.Empty(check.Damages);
    }

    private static async Task<List<ExportRecord>> ReadAsync(byte[] export, VaultSecret secret)
    {
        using FrameReader frames = await FrameReader.OpenAsync(new MemoryStream(export), secret, "test", Cancel);
        var records = new List<ExportRecord>();
        await foreach (byte[] frame in frames.ReadAllAsync(Cancel)) records.AddRange(ExportCodec.Decode(frame, "test"));
        return records;
    }

    private async Task ImportAsync(OpenVault vault, List<ExportRecord> records, VaultSecret secret)
    {
        (byte[] header, Vault.Sealing.Aead cipher) = ExportHeader.Create(secret, fixture.Host);
        var file = new MemoryStream();
        using var frames = new FrameWriter(file, header, cipher);
        await frames.BeginAsync(Cancel);
        foreach (ExportRecord record in records)
        {
            Encode(frames.Frame, record);
            await frames.EndRecordAsync(Cancel);
        }

        await frames.EndAsync(Cancel);
        file.Position = 0;
        await ImportRun.RunAsync(vault, file, secret, new ImportRequest { Name = "file" }, Cancel);
    }

    private static void Encode(Vault.Bytes.ByteWriter writer, ExportRecord record)
    {
        switch (record)
        {
            case ManifestRecord manifest: ExportCodec.Encode(writer, manifest); break;
            case PointRecord point: ExportCodec.Encode(writer, point); break;
            case UnchangedRecord unchanged: ExportCodec.Encode(writer, unchanged); break;
            case StepRecord step: ExportCodec.Encode(writer, step); break;
            case DataRecord data: ExportCodec.EncodeData(writer, data.Data.Span, data.Repeats); break;
            case CopyRecord copy: ExportCodec.Encode(writer, copy); break;
            case HoleRecord hole: ExportCodec.Encode(writer, hole); break;
            case ContentEndRecord end: ExportCodec.Encode(writer, end); break;
            case EndRecord last: ExportCodec.Encode(writer, last); break;
        }
    }
}
