# Debian's gems as archives, with the index of a registry beside them: what Bundler asks for.
require "fileutils"
require "rubygems/package"
require "zlib"

NAMES = %w[concurrent-ruby connection_pool rack redis-client sidekiq]

FileUtils.mkdir_p(%w[/gems/gems /gems/quick/Marshal.4.8])
specs = NAMES.map { |name| Gem::Specification.find_by_name(name) }
specs.each do |spec|
  Dir.chdir(spec.full_gem_path) do
    spec.files = Dir.glob("{bin,lib}/**/*").select { |path| File.file?(path) }
    Gem::Package.build(spec, true, false, "/gems/gems/#{spec.file_name}")
  end
  packed = Zlib::Deflate.deflate(Marshal.dump(spec))
  File.binwrite("/gems/quick/Marshal.4.8/#{spec.full_name}.gemspec.rz", packed)
end
{ "specs" => specs, "latest_specs" => specs, "prerelease_specs" => [] }.each do |name, found|
  rows = found.map { |spec| [spec.name, spec.version, spec.platform.to_s] }
  Zlib::GzipWriter.open("/gems/#{name}.4.8.gz") { |file| file.write(Marshal.dump(rows)) }
end
